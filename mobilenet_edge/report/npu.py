"""Format what Vela made of a file for an Ethos-U, and what is predicted without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mobilenet_edge import units
from mobilenet_edge.conversion.ethos import COMPILED
from mobilenet_edge.report.markdown_table import Column, grid
from mobilenet_edge.text import printable

_COLUMNS: Final = (Column("no."), Column("operator", True), Column("output", True), Column("NPU", True))


def text(preflight: Mapping[str, Any]) -> str:
    """Format `Placement.to_dict()`: a summary, then every operator."""
    name = preflight["target"]
    if preflight["compiled"]:
        return f"{name}: this file is already compiled; ethos-u contains all operators that run on the NPU."
    rows = [[str(op["index"]), op["kind"], op["output"].partition(";")[0], _verdict(op)] for op in preflight["ops"]]
    share = _share(preflight["mapped"], preflight["total"], preflight["mapped_macs"], preflight["macs"])
    summary = f"{name}: {share} on the NPU, by the rules of {preflight['source']}."
    return f"{summary}\n\n{grid(_COLUMNS, rows)}"


def facts(compilation: Mapping[str, Any]) -> list[str]:
    """Describe a compiled file in lines: operators on the NPU, those left with the reason, and Vela's estimates."""
    total = compilation["mapped"] + compilation["on_cpu"]
    share = _share(compilation["mapped"], total, compilation["mapped_macs"], compilation["macs"])
    lines = [f"compiled by {compilation['compiler']} for {compilation['accelerator']}: {share} on the NPU"]
    lines += [f"on the CPU: {fallback}" for fallback in compilation["fallbacks"]]
    if estimate := compilation["estimate"]:
        lines.append(f"estimated by Vela: {_estimate(estimate)}{' without the CPU' * bool(compilation['on_cpu'])}")
    return lines


def foreign(ops: Mapping[str, int]) -> list[str]:
    """Describe a file without metadata that Vela has compiled; empty for every other file."""
    parts = ops.get(COMPILED, 0)
    left = [f"{count} {kind}" for kind, count in ops.items() if kind != COMPILED]
    where = f", and {', '.join(left)} on the CPU" if left else ""
    return [f"compiled for an Ethos-U: {parts} part{'s' * (parts > 1)} on the NPU{where}"] if parts else []


def note(file: str, compilation: Mapping[str, Any]) -> str:
    """Describe a compiled file in a sentence for `mnet export`."""
    return printable(f"{file}: {'; '.join(facts(compilation))}.")


def _estimate(estimate: Mapping[str, Any]) -> str:
    memory = units.format_bytes(estimate["sram_bytes"]), units.format_bytes(estimate["other_bytes"])
    return (
        f"{units.format_ms(estimate['ms'])} ms and {estimate['cycles']:,} cycles at {estimate['clock_mhz']:g} MHz, "
        f"{memory[0]} of SRAM and {memory[1]} of other memory "
        f"({estimate['system']}, {estimate['memory_mode']})"
    )


def _share(mapped: int, total: int, mapped_macs: int | None, macs: int | None) -> str:
    share = f", {mapped_macs / macs:.1%} of the MACs," if macs and mapped_macs is not None else ""
    return f"{mapped} of {total} operators{share}"


def _verdict(op: Mapping[str, Any]) -> str:
    if not op["mapped"]:
        return f"no: {op['reason']}"
    return f"yes; {op['caution']}" if op["caution"] else "yes"
