"""Make what a target takes beside or in place of a file: the output of its compiler, or C++."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mobilenet_edge.conversion import ethos
from mobilenet_edge.conversion.coral import compiler, preflight
from mobilenet_edge.conversion.ethos import vela
from mobilenet_edge.conversion.micro import emit, footprint
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.metadata import Metadata
from mobilenet_edge.formats.tflite import read as tflite


@dataclass(frozen=True)
class Derived:
    """What was made of a file.

    Attributes:
        name: Name of a compiled file, None without one.
        about: Its metadata.
        data: Its content, without the metadata.
        sources: C++ for a microcontroller.
    """

    name: str | None
    about: Metadata
    data: bytes = b""
    sources: emit.Sources | None = None


def require(target: str) -> None:
    """Require what a target's files cannot be made without.

    Raises:
        MissingExtraError: It is not installed.
    """
    if ethos.is_accelerator(target):
        vela.require(target)
    if target == "tflm":
        footprint.require_interpreter()


def names(variant: str, target: str) -> Iterator[str]:
    """Yield the names of compiled files."""
    if target == "edgetpu":
        yield artifact.file_name(variant, "int8_edgetpu", "tflite")
    if ethos.is_accelerator(target):
        yield f"{artifact.file_name(variant, 'int8', 'tflite', target).removesuffix('.tflite')}_vela.tflite"


def refuse(path: Path, target: str, *, force: bool) -> None:
    """Refuse to write C++ over that of another file.

    Raises:
        InputError: Something else is there.
    """
    if target == "tflm":
        emit.refuse(path, force=force)


def of(path: Path, about: Metadata, data: bytes) -> Derived | None:
    """Make what the target of a file takes, None where that is the file itself.

    Args:
        path: Where the file is to be.
        about: Of the file; its `target` decides.
        data: The file without its metadata.

    Raises:
        BuildError: The target cannot run the file, or its compiler failed. Operators that an Ethos-U leaves to the CPU
            are no failure.
    """
    name = next(names(about.variant, about.target), None)
    if about.target == "edgetpu":
        preflight.require(tflite.contents(data))
        program = compiler.find()
        if program is None:
            return None
        made = compiler.compile_model(program, data, f"{about.variant}.{about.precision}")
        return Derived(name, replace(about, compilation=made.report), made.data)
    if ethos.is_accelerator(about.target):
        compiled = vela.compile_model(vela.require(about.target), data, about.variant, about.target)
        return Derived(name, replace(about, compilation=compiled.report), compiled.data)
    if about.target == "tflm":
        return Derived(None, about, sources=emit.sources(path, artifact.embed(path, data, about)))
    return None
