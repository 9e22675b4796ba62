"""Run Arm's Vela as a command, and read its summary; the package is ethos-u-vela.

It runs in a process of its own, since a file that it cannot compile may crash its native compiler. Everything about
time in its summary is an estimate of Vela's, and of the operators on the NPU alone.
"""

from __future__ import annotations

import csv
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from mobilenet_edge.conversion import vendor
from mobilenet_edge.conversion.ethos import COMPILED, EXTRA, generation
from mobilenet_edge.errors import BuildError, MissingExtraError
from mobilenet_edge.formats import costs
from mobilenet_edge.formats.contents import Contents
from mobilenet_edge.formats.metadata import Compilation, Estimate
from mobilenet_edge.formats.tflite import read as tflite

PACKAGE: Final = "ethosu"
CONFIG: Final = "Arm/vela.ini"
# System configuration and memory mode of Vela's configuration file: what it takes by default, with a warning.
SYSTEMS: Final[Mapping[str, tuple[str, str]]] = {
    "u55": ("Ethos_U55_High_End_Embedded", "Shared_Sram"),
    "u65": ("Ethos_U65_Client_Server", "Dedicated_Sram_384KB"),
    "u85": ("Ethos_U85_SYS_DRAM_Mid", "Dedicated_Sram_384KB"),
}
KIB: Final = 1024

_REFUSAL: Final = re.compile(r"operator: (\S+), ofm: '(.*)'\nReason: (.*)")


@dataclass(frozen=True)
class Compiled:
    """A compiled model.

    Attributes:
        data: Content of the .tflite file.
        report: Vela's figures.
    """

    data: bytes
    report: Compilation


def find() -> list[str] | None:
    """Return the command that starts Vela, None if it is not installed."""
    if find_spec(PACKAGE) is not None:
        return [sys.executable, "-m", "ethosu.vela"]
    program = shutil.which("vela")
    return None if program is None else [program]


def require(target: str) -> list[str]:
    """Return the command that starts Vela.

    Raises:
        MissingExtraError: It is not installed.
    """
    command = find()
    if command is None:
        raise MissingExtraError(f"compiling for {target} needs Arm's compiler Vela, which is not installed", EXTRA)
    return command


def compile_model(command: Sequence[str], data: bytes, name: str, accelerator: str) -> Compiled:
    """Compile a .tflite file in a temporary folder.

    Args:
        command: How Vela is started.
        data: Content of the .tflite file.
        name: Name of the file without extension.
        accelerator: One of `ACCELERATORS`.

    Raises:
        BuildError: Vela failed, took too long, or wrote no file or summary.
    """
    system, memory = SYSTEMS[generation(accelerator)]
    with tempfile.TemporaryDirectory(prefix="mnet-") as folder:
        source = Path(folder) / f"{name}.tflite"
        source.write_bytes(data)
        options = ("--accelerator-config", accelerator, "--config", CONFIG, "--system-config", system)
        version = vendor.run("Vela", [*command, "--version"], folder, _last).strip()
        words = [*command, f"./{source.name}", *options, "--memory-mode", memory, "--output-dir", "."]
        output = vendor.run("Vela", words, folder, _last)
        compiled, summary = (source.with_name(f"{name}_{end}") for end in ("vela.tflite", f"summary_{system}.csv"))
        if not (compiled.is_file() and summary.is_file()):
            raise BuildError(f"Vela wrote no file for {name}: {_last(output)}; run it by hand to see why")
        made = compiled.read_bytes()
        report = read_report(tflite.contents(data), tflite.contents(made), output, read_summary(summary.read_text()))
    return Compiled(made, replace(report, compiler=f"vela {version}", accelerator=accelerator))


def read_report(source: Contents, compiled: Contents, output: str, estimate: Estimate | None = None) -> Compilation:
    """Count the operators that Vela left in a file, with its reasons.

    Args:
        source: The file that was compiled.
        compiled: What Vela made of it.
        output: Text that it printed.
        estimate: What it estimates.
    """
    reasons = {name: reason.strip() for _, name, reason in _REFUSAL.findall(output)}
    left = {operator.outputs[0] for operator in compiled.operators if operator.kind != COMPILED}
    kept = [operator for operator in source.operators if operator.outputs[0] in left]
    macs = {
        operator.outputs[0]: cost.macs or 0 for operator, cost in zip(source.operators, costs.of(source), strict=True)
    }
    return Compilation(
        compiler="vela",
        runtime=0,
        mapped=len(source.operators) - len(kept),
        on_cpu=len(kept),
        subgraphs=compiled.ops.get(COMPILED, 0),
        macs=sum(macs.values()),
        mapped_macs=sum(count for name, count in macs.items() if name not in left),
        fallbacks=tuple(
            f"{operator.kind} {operator.outputs[0]}: {reasons.get(operator.outputs[0], 'Vela does not say why')}"
            for operator in kept
        ),
        estimate=estimate,
    )


def read_summary(text: str) -> Estimate:
    """Parse Vela's summary, a CSV file of one row.

    Raises:
        BuildError: It has no row, or lacks a column.
    """
    try:
        (row,) = csv.DictReader(text.splitlines())
        return Estimate(
            system=row["system_config"],
            memory_mode=row["memory_mode"],
            clock_mhz=float(row["core_clock"]) / 1e6,
            sram_bytes=round(float(row["sram_memory_used"]) * KIB),
            other_bytes=round(
                sum(float(row[f"{area}_memory_used"]) for area in ("dram", "on_chip_flash", "off_chip_flash")) * KIB
            ),
            cycles=round(float(row["cycles_total"])),
            ms=float(row["inference_time"]) * 1e3,
        )
    except (ValueError, KeyError) as error:
        raise BuildError(f"the summary of Vela cannot be read: {error}; this mnet knows that of Vela 5") from error


def _last(output: str) -> str:
    """Return the last line of Vela's output."""
    lines = [" ".join(line.split()) for line in output.splitlines() if line.strip()]
    return lines[-1].rstrip(".")[:200] if lines else "it printed nothing"
