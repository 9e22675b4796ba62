"""Load delegates: shared libraries that run operators of a TFLite model on an accelerator, such as libedgetpu.

The loaders of the runtimes report a wrong architecture as "cannot open shared object file", and print errors from
`__del__`. So the library is checked first, and each problem has its own message.
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

# Functions of external_delegate_interface.h that the runtimes call; without the second they print errors at exit.
ENTRY_POINTS: Final = ("tflite_plugin_create_delegate", "tflite_plugin_destroy_delegate")
# Function of libedgetpu's C interface (edgetpu_c.h) that no other delegate has.
EDGETPU_MARK: Final = "edgetpu_version"
# The operator that replaces compiled operators in a file; the only one that libedgetpu runs.
EDGETPU_OP: Final = "edgetpu-custom-op"
# The name of the node that replaces the operators a delegate runs, in both runtimes.
DELEGATE_NODE: Final = "DELEGATE"
# e_machine of the ELF header, from the System V gABI and its processor supplements.
MACHINES: Final = {3: "i686", 40: "32-bit ARM", 62: "x86_64", 183: "aarch64", 243: "RISC-V"}
TEXT: Final = frozenset(b"\t\n\r" + bytes(range(32, 127)))
LIBRARY_FOLDERS: Final = ("usr/lib*", "usr/lib/*", "usr/local/lib", "usr/local/lib/*")
TRIPLETS: Final = {40: "arm-linux-gnueabihf", 62: "x86_64-linux-gnu", 183: "aarch64-linux-gnu"}


@dataclass(frozen=True)
class DelegateLibrary:
    """A library that this process can load as a delegate.

    Attributes:
        path: Absolute path of the library.
        options: Options to start it with.
        edgetpu: Whether it is libedgetpu.
    """

    path: Path
    options: Mapping[str, str]
    edgetpu: bool


def probe(spec: Mapping[str, Any]) -> DelegateLibrary:
    """Check the library of {"path", "options"} and load it from exactly that path.

    Raises:
        RequestError: The file does not exist, is no library or no delegate, or was built for another architecture.
    """
    path, options = spec.get("path"), spec.get("options") or {}
    if not isinstance(path, str) or not all(isinstance(text, str) for pair in options.items() for text in pair):
        raise RequestError("a delegate needs the path of a library, and options whose names and values are text")
    file = Path(path)
    with suppress(RuntimeError):  # ~user that does not exist
        file = file.expanduser()
    file = file.absolute()
    _require_library(file)
    try:
        library = ctypes.CDLL(str(file))
    except OSError as error:
        raise RequestError(
            f"the delegate {file.name} cannot be loaded: {first_line(error)}; install the libraries it needs, "
            "or another build"
        ) from error
    absent = [name for name in ENTRY_POINTS if not hasattr(library, name)]
    if absent:
        raise RequestError(
            f"{file.name} is not a TFLite delegate (it has no function {absent[0]}); "
            "give the library of the delegate, such as libedgetpu.so.1"
        )
    return DelegateLibrary(file, dict(options), hasattr(library, EDGETPU_MARK))


def load(package: Any, delegate: DelegateLibrary) -> Any:
    """Start a delegate with the `load_delegate` of a runtime's package.

    Raises:
        DelegateFailed: The delegate does not start, usually because its device is missing.
    """
    try:
        return package.load_delegate(str(delegate.path), dict(delegate.options))
    except ValueError as error:
        # The first line is "Failed to load delegate from PATH"; the library's own report, if any, follows.
        reason = " ".join(str(error).split("\n", 1)[1:]).strip().rstrip(".")[:200]
        options = ", ".join(f"{name}={value}" for name, value in delegate.options.items())
        raise DelegateFailed(
            f"the delegate {delegate.path.name} did not start: {reason or 'it gave no reason'}; check that its device "
            f"is connected and that you may use it{f', and its options ({options})' if options else ''}"
        ) from error


def describe(delegate: DelegateLibrary, ops: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Describe how much of a model a delegate runs.

    Args:
        delegate: The delegate that was applied.
        ops: Details of the graph's operators, read after this delegate and before any other was applied.

    Returns:
        path and options; nodes (number of operators the delegate runs) of total; kind ("edgetpu" or "other").
    """
    operators = [op for op in ops if op["op_name"] != DELEGATE_NODE]
    delegated = _delegated(operators, [op for op in ops if op["op_name"] == DELEGATE_NODE])
    edgetpu = delegate.edgetpu or any(op["op_name"] == EDGETPU_OP for op in operators if op["index"] in delegated)
    return {
        "path": str(delegate.path),
        "options": dict(delegate.options),
        "nodes": len(delegated),
        "total": len(operators),
        "kind": "edgetpu" if edgetpu else "other",
    }


def find(root: Path = Path("/")) -> list[str]:
    """Find the copies of libedgetpu in the system's library folders, each file once."""
    copies: dict[Path, str] = {}
    for folder in LIBRARY_FOLDERS:
        for path in sorted(root.glob(f"{folder}/libedgetpu.so*")):
            if path.is_file():
                copies.setdefault(path.resolve(), str(path))
    return list(copies.values())


def suggest_path() -> str:
    """Return the path of libedgetpu on this machine, or its usual path if it is not installed."""
    triplet = TRIPLETS.get(_read_elf(Path(sys.executable))[1], "…")
    return next(iter(find()), f"/usr/lib/{triplet}/libedgetpu.so.1")


def _delegated(operators: Sequence[Mapping[str, Any]], delegate_nodes: Sequence[Mapping[str, Any]]) -> set[int]:
    """Return the indexes of the operators that delegate nodes replace: all between their outputs and inputs.

    The runtimes keep the replaced operators in their list, but do not mark them.
    """
    producer = {tensor: op for op in operators for tensor in op["outputs"]}
    delegated: set[int] = set()
    for node in delegate_nodes:
        # The inputs include constants, which have no producer anyway.
        inputs = set(node["inputs"])
        pending = [tensor for tensor in node["outputs"] if tensor in producer]
        while pending:
            op = producer[pending.pop()]
            if op["index"] not in delegated:
                delegated.add(op["index"])
                pending += [tensor for tensor in op["inputs"] if tensor in producer and tensor not in inputs]
    return delegated


def _require_library(file: Path) -> None:
    try:
        with file.open("rb") as opened:
            head = opened.read(64)
    except FileNotFoundError as error:
        raise RequestError(
            f"there is no delegate {file} on this machine; give the full path of an installed one{_installed_copies()}"
        ) from error
    except OSError as error:
        raise RequestError(
            f"the delegate {file} cannot be read: {error.strerror}; check its path and permissions"
        ) from error
    bits, machine = _parse_elf(head)
    if not bits:
        what = "it is text" if head and not set(head) - TEXT else "it is not an ELF file"
        raise RequestError(f"the delegate {file.name} is not a shared library ({what}); give the library itself")
    here = _read_elf(Path(sys.executable))
    if here[0] and (bits, machine) != here:
        raise RequestError(
            f"the delegate {file.name} is built for {_name(bits, machine)}, and this machine is {_name(*here)}; "
            "install the build for this architecture"
        )


def _installed_copies() -> str:
    copies = find()
    return f": {', '.join(copies)}" if copies else ""


def _read_elf(file: Path) -> tuple[int, int]:
    try:
        with file.open("rb") as opened:
            return _parse_elf(opened.read(64))
    except OSError:
        return 0, 0


def _parse_elf(head: bytes) -> tuple[int, int]:
    """Parse the first bytes of a file: bits (32 or 64) and e_machine, (0, 0) if it is not an ELF file."""
    if len(head) < 20 or head[:4] != b"\x7fELF" or head[4] not in (1, 2):
        return 0, 0
    (machine,) = struct.unpack_from("<H" if head[5] == 1 else ">H", head, 18)
    return 32 * head[4], machine


def _name(bits: int, machine: int) -> str:
    return MACHINES.get(machine, f"{bits}-bit machine {machine}")
