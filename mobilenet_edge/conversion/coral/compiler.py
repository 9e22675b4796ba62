"""Run `edgetpu_compiler` and read its report: https://coral.ai/docs/edgetpu/compiler/.

It is proprietary, x86-64 Linux only, and known here from its documentation and from reports that people posted; what
was not tried is listed in docs/coral.md.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mobilenet_edge.errors import BuildError
from mobilenet_edge.formats.metadata import Compilation

PROGRAM: Final = "edgetpu_compiler"
# The first runtime with every operator that mnet writes (see `rules`); a file made for it also runs on newer ones.
RUNTIME: Final = 13
# Its own limit is 180 s; MobileNets take a few.
LIMIT_SECONDS: Final = 240.0
MAPPED: Final = "Mapped to Edge TPU"

_VERSION: Final = re.compile(r"Edge TPU Compiler version (\S+)")
_ROW: Final = re.compile(r"^(\S+)[ \t]+(\d+)[ \t]+(\S.*?)\s*$", re.MULTILINE)
_LEFT: Final = re.compile(r"Number of operations that will run on CPU: (\d+)")
_SUBGRAPHS: Final = re.compile(r"Number of Edge TPU subgraphs: (\d+)")
_SIZE: Final = r" for {} model parameters: ([\d.]+)(B|KiB|MiB|GiB)"
_ON_CHIP: Final = re.compile("On-chip memory used" + _SIZE.format("caching"))
_FREE: Final = re.compile("On-chip memory remaining" + _SIZE.format("caching"))
_OFF_CHIP: Final = re.compile("Off-chip memory used" + _SIZE.format("streaming uncached"))
_UNITS: Final[Mapping[str, int]] = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


@dataclass(frozen=True)
class Compiled:
    """What the compiler made.

    Attributes:
        data: The file.
        report: Its figures.
    """

    data: bytes
    report: Compilation


def find() -> str | None:
    """Return the path of the compiler, None where it is not on PATH."""
    return shutil.which(PROGRAM)


def command(source: Path | str, out: Path | str, program: str = PROGRAM) -> list[str]:
    """Return the command line that compiles `source` into the folder `out`."""
    return [program, "--min_runtime_version", str(RUNTIME), "--out_dir", str(out), str(source)]


def advice(source: Path) -> str:
    """Say how to compile a file where the compiler is not at hand."""
    line = shlex.join(command(source.name, "."))
    return f"{source} is not compiled: {PROGRAM} is not on PATH; on x86-64 Linux with it, run: {line}"


def compile_model(program: str, data: bytes, name: str, limit_seconds: float = LIMIT_SECONDS) -> Compiled:
    """Compile a .tflite file in a temporary folder.

    Args:
        program: Path of the compiler.
        data: The file.
        name: Its name without the extension, as messages of the compiler show it.
        limit_seconds: After so long the compiler is stopped.

    Raises:
        BuildError: It failed, took too long, wrote no file, or left an operator on the CPU.
    """
    with tempfile.TemporaryDirectory(prefix="mnet-") as folder:
        source = Path(folder) / f"{name}.tflite"
        source.write_bytes(data)
        told = _run(command(source, folder, program), limit_seconds)
        made, log = (Path(folder) / f"{name}_edgetpu.{suffix}" for suffix in ("tflite", "log"))
        if not made.is_file():
            raise BuildError(f"{PROGRAM} wrote no file: {_complaint(told)}; see docs/coral.md")
        rows = log.read_text(errors="replace") if log.is_file() else told
        return Compiled(made.read_bytes(), read_report(told, rows))


def read_report(told: str, log: str) -> Compilation:
    """Read what the compiler printed, and its operation log.

    Raises:
        BuildError: No operators are listed, or one is left on the CPU; the message gives the compiler's reason.
    """
    rows = [(kind, int(count), status) for kind, count, status in _ROW.findall(log)]
    total = sum(count for _, count, _ in rows)
    if not total:
        raise BuildError(f"the report of {PROGRAM} lists no operators: {_complaint(told)}; see docs/coral.md")
    left = [(kind, count, status) for kind, count, status in rows if status != MAPPED]
    counted = _LEFT.search(told)
    on_cpu = max(sum(count for _, count, _ in left), int(counted[1]) if counted else 0)
    if on_cpu:
        named = ", ".join(f"{count} {kind} ({status})" for kind, count, status in left) or "it does not say which"
        raise BuildError(
            f"{PROGRAM} left {on_cpu} of {total} operators on the CPU: {named}; see docs/coral.md, "
            "or export with --target generic"
        )
    version = _VERSION.search(told)
    subgraphs = _SUBGRAPHS.search(told)
    return Compilation(
        compiler=f"{PROGRAM} {version[1]}" if version else PROGRAM,
        runtime=RUNTIME,
        mapped=total,
        on_cpu=on_cpu,
        subgraphs=int(subgraphs[1]) if subgraphs else None,
        on_chip_bytes=_bytes(_ON_CHIP, told),
        on_chip_free_bytes=_bytes(_FREE, told),
        off_chip_bytes=_bytes(_OFF_CHIP, told),
    )


def _run(line: list[str], limit_seconds: float) -> str:
    try:
        done = subprocess.run(
            line,
            cwd=line[line.index("--out_dir") + 1],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=limit_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(
            f"{PROGRAM} took longer than {limit_seconds:g} s and was stopped; see docs/coral.md"
        ) from error
    except OSError as error:
        raise BuildError(
            f"{line[0]} cannot be run: {(error.strerror or str(error)).lower()}; install it anew"
        ) from error
    if done.returncode:
        raise BuildError(f"{PROGRAM} failed with code {done.returncode}: {_complaint(done.stdout)}; see docs/coral.md")
    return done.stdout


def _complaint(told: str) -> str:
    """What the compiler said beyond its version and its timer, on one line."""
    lines = [" ".join(line.split()) for line in told.splitlines()]
    kept = [
        line for line in lines if line and not _VERSION.match(line) and not line.startswith("Started a compilation")
    ]
    return ", ".join(line.rstrip(".!") for line in kept[-3:]) or "it said nothing"


def _bytes(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return round(float(found[1]) * _UNITS[found[2]]) if found else None
