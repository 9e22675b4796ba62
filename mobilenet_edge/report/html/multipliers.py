"""What alpha and rho save, for the page and as charts: latency beside the square that the arithmetic predicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from mobilenet_edge.report import scaling
from mobilenet_edge.report.html import figure as draw
from mobilenet_edge.report.html import palette
from mobilenet_edge.report.rows import Row
from mobilenet_edge.report.scaling import Line, Scaling
from mobilenet_edge.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# A figure with more panels fits on no page; the HTML page has all.
MAX_PANELS: Final = 8
STEPS: Final = 50

Lines = Mapping[float, Line]


def data(rows: Sequence[Row], machines: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return plain values for the page.

    Args:
        rows: Rows of the table.
        machines: Short name of each machine.

    Returns:
        For each: title, cells of the table, a sentence about doubts, and the lines of both charts: name and points
        (x, share of the time).
    """
    return [
        {
            "title": printable(_title(each, machines)),
            "cells": scaling.cells(each),
            "doubts": each.doubts,
            "alpha": _plain(each.over_alpha, "rho {:g}"),
            "rho": _plain(each.over_rho, "alpha {:g}"),
        }
        for each in scaling.scalings(rows)
    ]


def over_alpha(found: Sequence[Scaling], machines: Mapping[str, str]) -> Figure | None:
    """Draw the latency of every resolution against alpha, as a share of the widest; None without two widths."""
    return _figure(found, machines, lambda each: each.over_alpha, "rho {:g}", "alpha")


def over_rho(found: Sequence[Scaling], machines: Mapping[str, str]) -> Figure | None:
    """Draw the latency of every alpha against rho, as a share of the largest; None without two resolutions."""
    return _figure(found, machines, lambda each: each.over_rho, "alpha {:g}", "rho in pixels")


def _figure(
    found: Sequence[Scaling], machines: Mapping[str, str], lines: Callable[[Scaling], Lines], name: str, axis: str
) -> Figure | None:
    shown = [each for each in found if lines(each)][:MAX_PANELS]
    if not shown:
        return None
    figure, axes = draw.panels([printable(_title(each, machines)) for each in shown])
    for panel, each in zip(axes, shown, strict=True):
        _draw(panel, lines(each), name)
        panel.set_xlabel(axis)
        panel.set_ylabel("latency, as a share of the largest")
    return figure


def _draw(axes: Axes, lines: Lines, name: str) -> None:
    largest = max(line[-1][0] for line in lines.values())
    curve = [largest * step / STEPS for step in range(STEPS + 1)]
    squares = [(x / largest) ** 2 for x in curve]
    axes.plot(curve, squares, color="#1c2024", linewidth=1, linestyle="--", label="predicted")
    for index, (key, line) in enumerate(lines.items()):
        colour, label = palette.COLOURS[index % len(palette.COLOURS)].light, name.format(key)
        # A line without the largest variant begins on the prediction.
        begin = (line[-1][0] / largest) ** 2
        xs, ys = zip(*((x, share * begin) for x, share in line), strict=True)
        axes.plot(xs, ys, marker="o", markersize=3.5, linewidth=1.4, color=colour, label=label)
    axes.set_xlim(0, largest * 1.04)
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left")


def _title(each: Scaling, machines: Mapping[str, str]) -> str:
    return f"{each.title}, {machines[each.machine]}" if len(machines) > 1 else each.title


def _plain(lines: Lines, name: str) -> list[dict[str, Any]]:
    return [
        {"name": name.format(key), "points": [[x, round(share, 4)] for x, share in line]} for key, line in lines.items()
    ]
