"""Write the C++ that goes with an exported file: header, array and resolver, of names of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mobilenet_edge import files
from mobilenet_edge.conversion.micro import c_source, footprint, resolver
from mobilenet_edge.conversion.micro.footprint import Footprint
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats.tflite import read as tflite


@dataclass(frozen=True)
class Sources:
    """C++ files of a model.

    Attributes:
        contents: Content of each place in `paths`.
        footprint: What the model takes.
    """

    contents: Mapping[Path, bytes]
    footprint: Footprint

    def write(self) -> None:
        """Write the files, all of them or none.

        Raises:
            InputError: One cannot be written.
        """
        files.write_together(self.contents)


def paths(path: Path) -> tuple[Path, Path, Path]:
    """Return the places of header, array and resolver beside a .tflite file."""
    stem = path.name.removesuffix(".tflite")
    header, array, ops = (path.with_name(f"{stem}{end}") for end in (".h", ".cc", "_ops.h"))
    return header, array, ops


def refuse(path: Path, *, force: bool = False) -> None:
    """Refuse to write over C++ that belongs to no file of this name; whose that is, is asked elsewhere.

    Raises:
        InputError: Something else is there.
    """
    there = next((each for each in paths(path) if each.exists()), None)
    if there is not None and not path.exists() and not force:
        raise InputError(
            f"{there} is there already, without {path.name}; write elsewhere with --out, or overwrite it with --force"
        )


def sources(path: Path, data: bytes) -> Sources:
    """Check a file against the interpreter and write its C++.

    Args:
        path: Where the file is to be.
        data: The whole file.

    Raises:
        BuildError: The interpreter has no operator for it, or cannot run it.
        MnetError: As `footprint.measure` says.
    """
    contents = tflite.contents(data)
    resolver.require(contents)
    found = footprint.measure(path, data)
    header, array, ops = paths(path)
    digest = hashlib.sha256(data).hexdigest()
    texts = {
        header: c_source.header(path.name, data, digest, found.arena_bytes, found.interpreter),
        array: c_source.array(header.name, data),
        ops: resolver.write(contents.ops),
    }
    return Sources({place: text.encode() for place, text in texts.items()}, found)
