"""A step of a sweep and everything that its result depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import __version__, files
from mobilenet_edge.errors import InputError

# Whose version may change the bytes of a file.
BUILDERS: Final = ("tensorflow", "tensorflow-cpu", "keras", "numpy")
WRITERS: Final = (*BUILDERS, "ai-edge-litert", "onnx", "onnxruntime")


@dataclass(frozen=True)
class Stage:
    """One step.

    Attributes:
        name: What is done to what: "export mobilenet_v1-a0.50-r160".
        ingredients: Everything that goes in, as values of JSON: options as they are, files by their sha256.
        request: What its process is asked; empty for a step that is done here.
        unknown: Names of ingredients that cannot be found out now and are taken for unchanged.
    """

    name: str
    ingredients: Mapping[str, Any]
    request: Mapping[str, Any] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()

    @property
    def verb(self) -> str:
        """The first word of the name."""
        return self.name.partition(" ")[0]

    @property
    def subject(self) -> str:
        """The rest of the name."""
        return self.name.partition(" ")[2]


@cache
def versions(packages: tuple[str, ...]) -> Mapping[str, str]:
    """Look up versions without importing anything; what is not installed is left out."""
    found = {"mobilenet-edge": __version__}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def digest(path: Path) -> str:
    """Sha256 of a file, as hex.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {files.reason(error)}; check the path") from error


def digest_all(folder: Path, paths: Sequence[Path]) -> str:
    """Sha256 of the names and contents of files, in order."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(f"{path.relative_to(folder).as_posix()}\0{digest(path)}\0".encode())
    return whole.hexdigest()


def listing(folder: Path, paths: Iterable[Path]) -> str:
    """Sha256 of the names, sizes and times of files: of many, reading them all would take as long as scoring them."""
    whole = hashlib.sha256()
    for path in paths:
        facts = path.stat()
        whole.update(f"{path.relative_to(folder).as_posix()}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
    return whole.hexdigest()


def differences(before: Any, after: Any, place: str = "") -> Iterator[str]:
    """Say what changed between two values of JSON, each a phrase: "calibration.count 50 → 100"."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from differences(before.get(key), after.get(key), f"{place}.{key}" if place else key)
    elif before != after:
        yield f"{place} {_shown(before)} → {_shown(after)}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    # A digest says nothing to people; its beginning is enough to tell two apart.
    return text if len(text) <= 40 else f"{text[:12]}…"
