"""Define a stage of a sweep and the ingredients that its result depends on."""

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

# Packages whose version can change the bytes of a file.
BUILDERS: Final = ("tensorflow", "tensorflow-cpu", "keras", "numpy")
WRITERS: Final = (*BUILDERS, "ai-edge-litert", "onnx", "onnxruntime")


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: Verb and subject, such as "export mobilenet_v1-a0.50-r160".
        ingredients: Inputs as JSON values: options literally, files by their SHA-256.
        request: Request to the worker process; empty for a stage without one.
        unknown: Names of ingredients that are not known now and count as unchanged.
    """

    name: str
    ingredients: Mapping[str, Any]
    request: Mapping[str, Any] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()

    @property
    def verb(self) -> str:
        """First word of the name."""
        return self.name.partition(" ")[0]

    @property
    def subject(self) -> str:
        """Rest of the name."""
        return self.name.partition(" ")[2]


@cache
def versions(packages: tuple[str, ...]) -> Mapping[str, str]:
    """Return the versions of the installed packages, without importing them."""
    installed = {"mobilenet-edge": __version__}
    for name in packages:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            continue
    return installed


def digest(path: Path) -> str:
    """Compute the SHA-256 of a file in hex.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {files.reason(error)}; check the path") from error


def digest_all(folder: Path, paths: Sequence[Path]) -> str:
    """Compute the SHA-256 of the names and contents of files, in order."""
    hasher = hashlib.sha256()
    for path in paths:
        hasher.update(f"{path.relative_to(folder).as_posix()}\0{digest(path)}\0".encode())
    return hasher.hexdigest()


def listing(folder: Path, paths: Iterable[Path]) -> str:
    """Compute the SHA-256 of the names, sizes and times of files; reading all images would take too long."""
    hasher = hashlib.sha256()
    for path in paths:
        facts = path.stat()
        hasher.update(f"{path.relative_to(folder).as_posix()}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
    return hasher.hexdigest()


def differences(before: Any, after: Any, place: str = "") -> Iterator[str]:
    """Yield the changes between two JSON values, such as "calibration.count 50 → 100"."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from differences(before.get(key), after.get(key), f"{place}.{key}" if place else key)
    elif before != after:
        yield f"{place} {_shown(before)} → {_shown(after)}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    # The start of a digest is enough to see that it changed.
    return text if len(text) <= 40 else f"{text[:12]}…"
