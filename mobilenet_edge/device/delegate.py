"""Delegates: a maker's library that takes operators of a TFLite model, such as Coral's libedgetpu.

The runtimes' own loader answers a wrong architecture with "cannot open shared object file", and prints from a
half-made object's `__del__`. So the library is looked at first, and each case has a sentence of its own.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mobilenet_edge.device.faults import DelegateFailed, RequestError, first_line

# What the runtimes call, of external_delegate_interface.h; without the second they print at their end.
ENTRY_POINTS: Final = ("tflite_plugin_create_delegate", "tflite_plugin_destroy_delegate")
# Of libedgetpu's C interface, edgetpu_c.h; no other delegate has it.
EDGETPU_MARK: Final = "edgetpu_version"
# What the Edge TPU's compiler puts in place of what it compiled: the one operator that its delegate takes.
EDGETPU_OP: Final = "edgetpu-custom-op"
# The name that both runtimes give to what stands for the operators a delegate took.
STAND_IN: Final = "DELEGATE"
# e_machine of the ELF header: System V gABI, and the supplements of each processor.
MACHINES: Final = {3: "i686", 40: "32-bit ARM", 62: "x86_64", 183: "aarch64", 243: "RISC-V"}
TEXT: Final = frozenset(b"\t\n\r" + bytes(range(32, 127)))
LIBRARY_FOLDERS: Final = ("usr/lib*", "usr/lib/*", "usr/local/lib", "usr/local/lib/*")
TRIPLETS: Final = {40: "arm-linux-gnueabihf", 62: "x86_64-linux-gnu", 183: "aarch64-linux-gnu"}


@dataclass(frozen=True)
class DelegateLibrary:
    """A library that can be loaded as a delegate into this process.

    Attributes:
        path: Of the library, absolute.
        options: What it is started with.
        edgetpu: It is Coral's.
    """

    path: Path
    options: Mapping[str, str]
    edgetpu: bool


def probe(asked: Mapping[str, Any]) -> DelegateLibrary:
    """Look at the library of {"path", "options"}, and load it from that path and no other place.

    Raises:
        RequestError: There is no such file, it is of another architecture, no library, or no delegate.
    """
    path, options = asked.get("path"), asked.get("options") or {}
    if not isinstance(path, str) or not all(isinstance(each, str) for pair in options.items() for each in pair):
        raise RequestError("a delegate has the path of a library, and options with a name and a value each, all text")
    file = Path(path)
    with suppress(RuntimeError):  # nobody of that name
        file = file.expanduser()
    file = file.absolute()
    _look(file)
    try:
        library = ctypes.CDLL(str(file))
    except OSError as error:
        raise RequestError(
            f"the delegate {file.name} cannot be loaded: {first_line(error)}; install what it needs, or another build"
        ) from error
    absent = [name for name in ENTRY_POINTS if not hasattr(library, name)]
    if absent:
        raise RequestError(
            f"{file.name} is a library, but no TFLite delegate (it has no {absent[0]}); "
            "give the delegate's, such as libedgetpu.so.1"
        )
    return DelegateLibrary(file, dict(options), hasattr(library, EDGETPU_MARK))


def load(package: Any, delegate: DelegateLibrary) -> Any:
    """Start a delegate with the `load_delegate` of a runtime's package.

    Raises:
        DelegateFailed: It does not start, most often for want of its device.
    """
    try:
        return package.load_delegate(str(delegate.path), dict(delegate.options))
    except ValueError as error:
        # "Failed to load delegate from PATH", then what the library reported, if it did.
        reason = " ".join(str(error).split("\n", 1)[1:]).strip().rstrip(".")[:200]
        given = ", ".join(f"{name}={value}" for name, value in delegate.options.items())
        raise DelegateFailed(
            f"the delegate {delegate.path.name} did not start: {reason or 'it gave no reason'}; check that its device "
            f"is connected and that you may use it{f', and its options ({given})' if given else ''}"
        ) from error


def describe(delegate: DelegateLibrary, ops: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say what became of a delegate; `ops` are those of the graph after it was applied and before any other was."""
    own = [op for op in ops if op["op_name"] != STAND_IN]
    taken = _taken(own, [op for op in ops if op["op_name"] == STAND_IN])
    edgetpu = delegate.edgetpu or any(op["op_name"] == EDGETPU_OP for op in own if op["index"] in taken)
    return {
        "path": str(delegate.path),
        "options": dict(delegate.options),
        "nodes": len(taken),
        "total": len(own),
        "kind": "edgetpu" if edgetpu else "other",
    }


def found(root: Path = Path("/")) -> list[str]:
    """List the copies of libedgetpu in the system's library folders, each file once."""
    copies: dict[Path, str] = {}
    for folder in LIBRARY_FOLDERS:
        for path in sorted(root.glob(f"{folder}/libedgetpu.so*")):
            if path.is_file():
                copies.setdefault(path.resolve(), str(path))
    return list(copies.values())


def suggestion() -> str:
    """Return the path to give for an Edge TPU on this machine: one that is there, or where it would be."""
    triplet = TRIPLETS.get(_elf(Path(sys.executable))[1], "…")
    return next(iter(found()), f"/usr/lib/{triplet}/libedgetpu.so.1")


def _taken(own: Sequence[Mapping[str, Any]], stand_ins: Sequence[Mapping[str, Any]]) -> set[int]:
    """Return the indexes of the operators that stand-ins replace: all between its outputs and its inputs.

    The runtimes keep the replaced operators in their list, but don't tell which they are.
    """
    producer = {tensor: op for op in own for tensor in op["outputs"]}
    taken: set[int] = set()
    for each in stand_ins:
        # Constants are among the inputs too, and have no producer anyway.
        begins = set(each["inputs"])
        ends = [tensor for tensor in each["outputs"] if tensor in producer]
        while ends:
            op = producer[ends.pop()]
            if op["index"] not in taken:
                taken.add(op["index"])
                ends += [tensor for tensor in op["inputs"] if tensor in producer and tensor not in begins]
    return taken


def _look(file: Path) -> None:
    try:
        with file.open("rb") as opened:
            head = opened.read(64)
    except FileNotFoundError as error:
        raise RequestError(
            f"there is no delegate {file} on this machine; give the whole path of one that is installed{_others()}"
        ) from error
    except OSError as error:
        raise RequestError(
            f"the delegate {file} cannot be read: {error.strerror}; check its path and rights"
        ) from error
    bits, machine = _elf_header(head)
    if not bits:
        what = "it is text" if head and not set(head) - TEXT else "it is no ELF file"
        raise RequestError(f"the delegate {file.name} is no shared library ({what}); give the library itself")
    here = _elf(Path(sys.executable))
    if here[0] and (bits, machine) != here:
        raise RequestError(
            f"the delegate {file.name} is built for {_name(bits, machine)}, and this is {_name(*here)}; "
            "install the one of this architecture"
        )


def _others() -> str:
    there = found()
    return f": {', '.join(there)}" if there else ""


def _elf(file: Path) -> tuple[int, int]:
    try:
        with file.open("rb") as opened:
            return _elf_header(opened.read(64))
    except OSError:
        return 0, 0


def _elf_header(head: bytes) -> tuple[int, int]:
    """Return bits (32 or 64) and e_machine of an ELF file's first bytes, (0, 0) of any other."""
    if len(head) < 20 or head[:4] != b"\x7fELF" or head[4] not in (1, 2):
        return 0, 0
    (machine,) = struct.unpack_from("<H" if head[5] == 1 else ">H", head, 18)
    return 32 * head[4], machine


def _name(bits: int, machine: int) -> str:
    return MACHINES.get(machine, f"{bits}-bit machine {machine}")
