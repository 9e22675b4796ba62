"""Format a table of variants with computed and published figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from json import dumps
from typing import Any, Final

from mobilenet_edge.model import layers
from mobilenet_edge.model.published import lookup
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.report.markdown_table import Column, grid
from mobilenet_edge.units import format_bytes, format_count

NOTES: Final = """\
Parameters are weights and biases with batch norm folded in. Sizes are lower bounds: 4 bytes per parameter, or for int8
1 byte per weight, 4 per bias and 4 per channel scale; the graph and the metadata add to that.
Top-1 in percent is published (TF-slim), not measured: float32, and uint8 after quantisation-aware training (QAT), which
post-training int8 rarely reaches."""

_COLUMNS: Final = (
    Column("variant", words=True),
    Column("MACs"),
    Column("parameters"),
    Column("float32 size"),
    Column("int8 size"),
    Column("published top-1"),
    Column("published QAT"),
)


def table(specs: Iterable[ModelSpec]) -> str:
    """Format variants in the given order, with an explanation of the columns."""
    return f"{grid(_COLUMNS, [_row(spec) for spec in specs])}\n\n{NOTES}"


def json(specs: Iterable[ModelSpec]) -> str:
    """Format variants as a JSON array of `values`."""
    return dumps([values(spec) for spec in specs], indent=1)


def values(spec: ModelSpec) -> dict[str, Any]:
    """Return the figures of a variant, with units in the names; None where nothing was published."""
    published = lookup(spec)
    return {
        "variant": spec.name,
        **asdict(spec),
        "macs": layers.macs(spec),
        "parameters": layers.parameters(spec),
        "float32_bytes": layers.float32_bytes(spec),
        "int8_bytes": layers.int8_bytes(spec),
        "published_top1_percent": published and published.top1,
        "published_qat_top1_percent": published and published.qat_top1,
    }


def _row(spec: ModelSpec) -> list[str]:
    published = lookup(spec)
    return [
        spec.name,
        format_count(layers.macs(spec)),
        format_count(layers.parameters(spec)),
        format_bytes(layers.float32_bytes(spec)),
        format_bytes(layers.int8_bytes(spec)),
        f"{published.top1:.1f}" if published else "-",
        f"{published.qat_top1:.1f}" if published and published.qat_top1 else "-",
    ]
