"""Format what separable blocks save: predicted in multiplications, measured in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mobilenet_edge.profiling.separable import Timing
from mobilenet_edge.records import Profile
from mobilenet_edge.report.hardware import describe
from mobilenet_edge.report.markdown_table import Column, grid, inline
from mobilenet_edge.report.rows import grouped
from mobilenet_edge.units import format_ms

_COLUMNS: Final = (
    Column("block", words=True),
    Column("M"),
    Column("N"),
    Column("standard"),
    Column("depthwise"),
    Column("pointwise"),
    Column("ratio"),
    Column("predicted"),
)
NOTE: Final = """\
Median times in ms; each convolution is timed as a model of its own, without the overhead of a call. Predicted is
1/N + 1/D_K², the ratio of the multiplications. Where the ratio of the times is higher, the block does fewer
multiplications a second than the convolution it replaces: a depthwise convolution uses each value that it loads only
D_K² times, and few channels leave parts of the vector registers empty."""


def text(timings: Sequence[Timing], profile: Profile) -> str:
    """Format one table per precision in Markdown, with totals and speeds.

    Args:
        timings: Timings of `separable.measure`.
        profile: Profile that describes the machine and the runtime.
    """
    threads = f"{profile.threads} thread{'s' * (profile.threads != 1)}"
    where = f"{profile.runtime} {profile.runtime_version}, {threads}, {describe(profile)}"
    tables = [
        _table(precision, group) for precision, group in grouped(timings, lambda timing: timing.precision).items()
    ]
    return "\n\n".join([f"What it saves in time: {inline(where)}", *tables, NOTE])


def values(timings: Sequence[Timing]) -> list[dict[str, Any]]:
    """Return the timings as plain values, with units in the names."""
    return [
        {
            "block": timing.block.depthwise.name,
            "precision": timing.precision,
            "standard_macs": timing.block.standard_macs,
            "separable_macs": timing.block.macs,
            "standard_ms": timing.standard_ms,
            "depthwise_ms": timing.depthwise_ms,
            "pointwise_ms": timing.pointwise_ms,
        }
        for timing in timings
    ]


def _table(precision: str, timings: Sequence[Timing]) -> str:
    standard, depthwise, pointwise = (
        sum(getattr(timing, name) for timing in timings) for name in ("standard_ms", "depthwise_ms", "pointwise_ms")
    )
    macs, standard_macs = (sum(getattr(timing.block, name) for timing in timings) for name in ("macs", "standard_macs"))
    total = ["total", "", "", *map(format_ms, (standard, depthwise, pointwise))]
    total += [f"{(depthwise + pointwise) / standard:.3f}", f"{macs / standard_macs:.3f}"]
    table = grid(_COLUMNS, [*map(_cells, timings), total])
    depthwise_macs = sum(timing.block.depthwise.macs for timing in timings)
    speeds = (
        f"{precision}: {_speed(standard_macs, standard)} in the standard convolutions, "
        f"{_speed(depthwise_macs, depthwise)} in the depthwise and {_speed(macs - depthwise_macs, pointwise)} in the "
        f"pointwise ones; the depthwise ones are {depthwise_macs / macs:.0%} of the multiplications of the blocks and "
        f"{depthwise / (depthwise + pointwise):.0%} of their time."
    )
    return f"{speeds}\n\n{table}"


def _cells(timing: Timing) -> list[str]:
    block = timing.block
    return [
        f"{block.depthwise.name} + pw",
        str(block.depthwise.inputs),
        str(block.pointwise.outputs),
        *map(format_ms, (timing.standard_ms, timing.depthwise_ms, timing.pointwise_ms)),
        f"{timing.separable_ms / timing.standard_ms:.3f}",
        f"{block.ratio:.3f}",
    ]


def _speed(macs: int, ms: float) -> str:
    return f"{macs / ms / 1e6:.1f} GMAC/s"
