"""Run `edgetpu_compiler` and read its report: https://coral.ai/docs/edgetpu/compiler/.

The compiler is proprietary and runs only on x86-64 Linux. This module is based on its documentation and on published
reports; docs/coral.md lists what has not been tested.
"""

from __future__ import annotations

import re
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mobilenet_edge.conversion import vendor
from mobilenet_edge.errors import BuildError
from mobilenet_edge.formats.metadata import Compilation

PROGRAM: Final = "edgetpu_compiler"
# The first runtime with all operators that mnet writes (see `rules`); newer runtimes also run files for it.
RUNTIME: Final = 13
MAPPED: Final = "Mapped to Edge TPU"

_VERSION: Final = re.compile(r"Edge TPU Compiler version (\S+)")
_ROW: Final = re.compile(r"^(\S+)[ \t]+(\d+)[ \t]+(\S.*?)\s*$", re.MULTILINE)
_ON_CPU: Final = re.compile(r"Number of operations that will run on CPU: (\d+)")
_SUBGRAPHS: Final = re.compile(r"Number of Edge TPU subgraphs: (\d+)")
_SIZE: Final = r" for {} model parameters: ([\d.]+)(B|KiB|MiB|GiB)"
_ON_CHIP: Final = re.compile("On-chip memory used" + _SIZE.format("caching"))
_FREE: Final = re.compile("On-chip memory remaining" + _SIZE.format("caching"))
_OFF_CHIP: Final = re.compile("Off-chip memory used" + _SIZE.format("streaming uncached"))
_UNITS: Final[Mapping[str, int]] = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


@dataclass(frozen=True)
class Compiled:
    """A compiled model.

    Attributes:
        data: Content of the .tflite file.
        report: The compiler's figures.
    """

    data: bytes
    report: Compilation


def find() -> str | None:
    """Return the path of the compiler, None if it is not on PATH."""
    return shutil.which(PROGRAM)


def command(source: Path | str, out: Path | str, program: str = PROGRAM) -> list[str]:
    """Return the command line that compiles `source` into the folder `out`."""
    return [program, "--min_runtime_version", str(RUNTIME), "--out_dir", str(out), str(source)]


def advice(source: Path) -> str:
    """Return a message on how to compile a file on a machine that has the compiler."""
    line = shlex.join(command(source.name, "."))
    return f"{source} is not compiled: {PROGRAM} is not on PATH; on x86-64 Linux with it, run: {line}"


def compile_model(program: str, data: bytes, name: str, limit_seconds: float = vendor.LIMIT_SECONDS) -> Compiled:
    """Compile a .tflite file in a temporary folder.

    Args:
        program: Path of the compiler.
        data: Content of the .tflite file.
        name: Name of the file without extension, for the compiler's messages.
        limit_seconds: Maximum time of the compiler, in seconds.

    Raises:
        BuildError: The compiler failed, took too long, wrote no file, or left an operator on the CPU.
    """
    with tempfile.TemporaryDirectory(prefix="mnet-") as folder:
        source = Path(folder) / f"{name}.tflite"
        source.write_bytes(data)
        words = command(source, folder, program)
        output = vendor.run(PROGRAM, words, folder, _summarise, limit_seconds=limit_seconds, see="; see docs/coral.md")
        compiled, log = (Path(folder) / f"{name}_edgetpu.{suffix}" for suffix in ("tflite", "log"))
        if not compiled.is_file():
            raise BuildError(f"{PROGRAM} wrote no file: {_summarise(output)}; see docs/coral.md")
        rows = log.read_text(errors="replace") if log.is_file() else output
        return Compiled(compiled.read_bytes(), read_report(output, rows))


def read_report(output: str, log: str) -> Compilation:
    """Parse the output of the compiler and its operation log.

    Args:
        output: Text that the compiler printed.
        log: Content of its log file.

    Raises:
        BuildError: The log lists no operators, or one that stays on the CPU; the message gives the compiler's reason.
    """
    rows = [(kind, int(count), status) for kind, count, status in _ROW.findall(log)]
    total = sum(count for _, count, _ in rows)
    if not total:
        raise BuildError(f"the report of {PROGRAM} lists no operators: {_summarise(output)}; see docs/coral.md")
    refused = [(kind, count, status) for kind, count, status in rows if status != MAPPED]
    reported = _ON_CPU.search(output)
    on_cpu = max(sum(count for _, count, _ in refused), int(reported[1]) if reported else 0)
    if on_cpu:
        names = ", ".join(f"{count} {kind} ({status})" for kind, count, status in refused) or "it does not say which"
        raise BuildError(
            f"{PROGRAM} left {on_cpu} of {total} operators on the CPU: {names}; see docs/coral.md, "
            "or export with --target generic"
        )
    version = _VERSION.search(output)
    subgraphs = _SUBGRAPHS.search(output)
    return Compilation(
        compiler=f"{PROGRAM} {version[1]}" if version else PROGRAM,
        runtime=RUNTIME,
        mapped=total,
        on_cpu=on_cpu,
        subgraphs=int(subgraphs[1]) if subgraphs else None,
        on_chip_bytes=_bytes(_ON_CHIP, output),
        on_chip_free_bytes=_bytes(_FREE, output),
        off_chip_bytes=_bytes(_OFF_CHIP, output),
    )


def _summarise(output: str) -> str:
    """Return the last three lines of the compiler's output on one line, without its version and its timer."""
    lines = [" ".join(line.split()) for line in output.splitlines()]
    messages = [
        line for line in lines if line and not _VERSION.match(line) and not line.startswith("Started a compilation")
    ]
    return ", ".join(line.rstrip(".!") for line in messages[-3:]) or "it printed nothing"


def _bytes(pattern: re.Pattern[str], text: str) -> int | None:
    match = pattern.search(text)
    return round(float(match[1]) * _UNITS[match[2]]) if match else None
