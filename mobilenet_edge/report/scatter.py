"""Draw accuracy against latency with characters, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mobilenet_edge.report.html.points import FAMILY
from mobilenet_edge.report.rows import Judgement, Row, by_machine
from mobilenet_edge.text import printable

HEIGHT: Final = 16
FRONT: Final = "●"
OTHER: Final = "·"
# Room for names, as a share of the range of the points.
MARGIN: Final = 0.35


def text(rows: Sequence[Row], width: int) -> str:
    """Draw top-1 against median latency, a chart for each machine; points of the Pareto front have names.

    Args:
        rows: Rows of `join`.
        width: Width in characters.

    Returns:
        The charts; empty where fewer than two points have both figures, or plotext is not installed.
    """
    try:
        import plotext
    except ImportError:
        return ""
    charts = [_chart(plotext, machine, group, width) for machine, group in by_machine(rows).items()]
    return "\n\n".join(chart for chart in charts if chart)


def _chart(plotext: Any, machine: str, rows: Sequence[Row], width: int) -> str:
    figures = Judgement.of(rows)
    pairs = [(row, costs) for row in rows if (costs := figures.costs(row))]
    if not figures.latency or len({costs for _, costs in pairs}) < 2:
        return ""
    points = [(latency, -loss, row) for row, (latency, loss) in pairs]
    return _draw(plotext, printable(machine), points, figures.measured, width)


def _draw(plt: Any, title: str, points: Sequence[tuple[float, float, Row]], measured: bool, width: int) -> str:
    scale = 100 if measured else 1
    plt.clear_figure()
    plt.theme("clear")
    plt.plotsize(width, HEIGHT)
    plt.title(title)
    plt.scatter(*zip(*[(ms, scale * gain) for ms, gain, _ in points], strict=True), marker=OTHER)
    left, right = min(ms for ms, _, _ in points), max(ms for ms, _, _ in points)
    plt.xlim(left, right + MARGIN * ((right - left) or right))
    for ms, gain, row in points:
        if row.pareto:
            plt.text(f"{FRONT} {_name(row)}", ms, scale * gain, alignment="left")
    plt.xlabel("median ms")
    plt.ylabel("top-1 in %" if measured else "published top-1 in %, not measured")
    return str(plt.uncolorize(plt.build()))


def _name(row: Row) -> str:
    """Return a short name, such as "a0.50-r160 int8"."""
    variant = printable(row.record.variant).removeprefix(FAMILY)
    return f"{variant} {row.record.precision}"
