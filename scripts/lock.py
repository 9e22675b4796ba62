"""Check that each lock has a hashed pin for all that pyproject.toml asks for, and no trace of where it was made.

And that pyproject.toml asks for little: three packages where only `mnet` is wanted, and nothing but by its name.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
# The extras that each is made for; that of development has the dependency groups too.
LOCKS = {"dev.txt": ("all", "camera", "openvino", "ethos", "tflm"), "legacy.txt": ("tflite-legacy",)}
# What a device has to install, and so to trust, beside a runtime.
BASE = {"numpy", "rich", "typer"}


def main() -> int:
    """Print what is wrong with the locks; 1 if anything is."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = [
        f"{name}: {problem}"
        for name in LOCKS
        for problem in problems(pyproject, (ROOT / "requirements" / name).read_text(), name)
    ]
    for problem in found:
        print(f"{problem}; run: make lock", file=sys.stderr)
    asked = list(excess(pyproject))
    for problem in asked:
        print(f"pyproject.toml: {problem}", file=sys.stderr)
    return int(bool(found or asked))


def excess(pyproject: dict[str, Any]) -> Iterator[str]:
    """Say what `pyproject` asks for beyond the base, and what it would fetch from a URL or a repository."""
    project = pyproject["project"]
    base = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    if base != BASE:
        yield f"the base needs {', '.join(sorted(base))}; it is to need {', '.join(sorted(BASE))} and no more"
    groups = (*project["optional-dependencies"].values(), *pyproject["dependency-groups"].values())
    for text in chain(project["dependencies"], pyproject["build-system"]["requires"], *groups):
        if Requirement(text).url:
            yield f"{text!r} is fetched from a place and not by its name"
    for name in ("sources", "index", "find-links"):
        if name in pyproject.get("tool", {}).get("uv", {}):
            yield f"tool.uv.{name} says where packages come from"


def problems(pyproject: dict[str, Any], lock: str, name: str = "dev.txt") -> list[str]:
    """Say in what the text of a lock differs from what `pyproject` asks for in the lock of this name."""
    return [*_unmet(list(_asked(pyproject, name)), list(_pins(lock))), *_traces(lock)]


def _asked(pyproject: dict[str, Any], name: str) -> Iterator[Requirement]:
    project = pyproject["project"]
    groups = chain.from_iterable(pyproject["dependency-groups"].values()) if name == "dev.txt" else ()
    extras = chain.from_iterable(_extra(project, extra) for extra in LOCKS[name])
    for text in (*project["dependencies"], *extras, *groups):
        yield Requirement(text)


def _extra(project: dict[str, Any], name: str) -> Iterator[str]:
    for text in project["optional-dependencies"][name]:
        requirement = Requirement(text)
        if canonicalize_name(requirement.name) != canonicalize_name(project["name"]):
            yield text
        for inner in sorted(requirement.extras):
            yield from _extra(project, inner)


def _pins(lock: str) -> Iterator[tuple[Requirement, bool]]:
    """Yield each pin, and whether it has hashes, all of them sha256."""
    for entry in lock.replace("\\\n", " ").splitlines():
        pin, *hashes = entry.split(" --hash=")
        if pin.strip() and not pin.lstrip().startswith(("#", "-")):
            yield Requirement(pin.strip()), bool(hashes) and all(each.startswith("sha256:") for each in hashes)


def _unmet(asked: list[Requirement], pins: list[tuple[Requirement, bool]]) -> Iterator[str]:
    versions: dict[str, list[str]] = {}
    for pin, hashed in pins:
        if not hashed:
            yield f"{pin} has no hash"
        if [each.operator for each in pin.specifier] != ["=="] and not pin.url:
            yield f"{pin} is no pin; it must have one version"
        versions.setdefault(canonicalize_name(pin.name), []).extend(each.version for each in pin.specifier)
    for requirement in asked:
        here = versions.get(canonicalize_name(requirement.name), [])
        if not here:
            yield f"{requirement.name} has no pin"
        elif not all(requirement.specifier.contains(version, prereleases=True) for version in here):
            yield f"{requirement.name} is pinned at {', '.join(here)}, pyproject.toml wants {requirement.specifier}"


def _traces(lock: str) -> Iterator[str]:
    for line in lock.splitlines():
        # A local wheel, an index or a host would tie the lock to the machine that wrote it.
        if "://" in line or line.startswith("-"):
            yield f"{line.strip()!r} says where packages come from"


if __name__ == "__main__":
    sys.exit(main())
