"""Check that each lock has a hashed pin for all that pyproject.toml asks for, and no trace of where it was made."""

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
# The extra that each is made for; that of development has the dependency groups too.
LOCKS = {"dev.txt": "build", "legacy.txt": "tflite-legacy"}


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
    return int(bool(found))


def problems(pyproject: dict[str, Any], lock: str, name: str = "dev.txt") -> list[str]:
    """Say in what the text of a lock differs from what `pyproject` asks for in the lock of this name."""
    return [*_unmet(list(_asked(pyproject, name)), list(_pins(lock))), *_traces(lock)]


def _asked(pyproject: dict[str, Any], name: str) -> Iterator[Requirement]:
    project = pyproject["project"]
    groups = chain.from_iterable(pyproject["dependency-groups"].values()) if name == "dev.txt" else ()
    for text in (*project["dependencies"], *_extra(project, LOCKS[name]), *groups):
        yield Requirement(text)


def _extra(project: dict[str, Any], name: str) -> Iterator[str]:
    for text in project["optional-dependencies"][name]:
        requirement = Requirement(text)
        if canonicalize_name(requirement.name) != canonicalize_name(project["name"]):
            yield text
        for inner in sorted(requirement.extras):
            yield from _extra(project, inner)


def _pins(lock: str) -> Iterator[tuple[Requirement, bool]]:
    """Yield each pin, and whether it has a hash."""
    for entry in lock.replace("\\\n", " ").splitlines():
        pin, *hashes = entry.split(" --hash=")
        if pin.strip() and not pin.lstrip().startswith(("#", "-")):
            yield Requirement(pin.strip()), bool(hashes)


def _unmet(asked: list[Requirement], pins: list[tuple[Requirement, bool]]) -> Iterator[str]:
    versions: dict[str, list[str]] = {}
    for pin, hashed in pins:
        if not hashed:
            yield f"{pin} has no hash"
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
