"""Draw accuracy against latency and against size, with Pareto fronts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mobilenet_edge.report.html import machines, palette
from mobilenet_edge.report.html.figure import logarithmic, panels
from mobilenet_edge.report.html.points import label
from mobilenet_edge.report.pareto import front
from mobilenet_edge.report.rows import Row, grouped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Groups = Mapping[str, Sequence[Row]]
LINES: Final = ("-", "--", ":", "-.")
INK: Final = "#5b6470"


@dataclass(frozen=True)
class Spot:
    """One point of a chart.

    Attributes:
        row: Row of the table.
        cost: Cost in the unit of the axis.
        gain: Top-1 in percent.
        group: Threads (None for sizes) and images; points of one group share a front.
        hollow: Whether the cost is predicted.
    """

    row: Row
    cost: float
    gain: float
    group: tuple[int | None, tuple[str, int] | None]
    hollow: bool = False


def latency(groups: Groups) -> Figure | None:
    """Draw top-1 against median latency, one panel per machine; return None if no row has both."""
    measured = _measured(groups)
    names = machines.names(groups)
    spots = {names[machine]: list(_timed(group, measured)) for machine, group in groups.items()}
    return _figure(spots, "median latency in ms", measured)


def size(groups: Groups) -> Figure | None:
    """Draw top-1 against file size, each file once; return None if no row has a top-1."""
    measured = _measured(groups)
    files = {row.artifact.sha256: row for group in groups.values() for row in group if row.artifact}
    spots = [
        Spot(row, row.artifact.size_bytes / 1e6, gain, (None, _images(row, measured)))
        for row in files.values()
        if row.artifact and (gain := _top1(row, measured)) is not None
    ]
    return _figure({"": spots}, "file size in MB", measured)


def _timed(rows: Iterable[Row], measured: bool) -> Iterable[Spot]:
    for row in rows:
        gain, images = _top1(row, measured), _images(row, measured)
        if gain is not None and row.latency:
            yield Spot(row, row.latency.median_ms, gain, (row.latency.threads, images))
        elif gain is not None and row.prediction:
            yield Spot(row, row.prediction.predicted_ms, gain, (row.prediction.threads, images), hollow=True)


def _figure(spots: Mapping[str, Sequence[Spot]], axis: str, measured: bool) -> Figure | None:
    shown = {title: group for title, group in spots.items() if group}
    if not shown:
        return None
    figure, axes = panels(list(shown), share_y=True)
    for panel, group in zip(axes, shown.values(), strict=True):
        _fronts(panel, group)
        _dots(panel, group)
        logarithmic(panel, [spot.cost for spot in group], axis)
        panel.legend(loc="lower right")
    axes[0].set_ylabel("measured top-1 in %" if measured else "published top-1 in % (not measured)")
    return figure


def _fronts(axes: Axes, spots: Sequence[Spot]) -> None:
    names: list[tuple[float, float]] = []
    middle = math.sqrt(min(spot.cost for spot in spots) * max(spot.cost for spot in spots))
    for index, ((threads, _), group) in enumerate(grouped(spots, lambda spot: spot.group).items()):
        marks = front([(spot.cost, -spot.gain) for spot in group])
        best = sorted((spot.cost, spot.gain) for spot, mark in zip(group, marks, strict=True) if mark)
        label = "front" if threads is None else f"front, threads: {threads}"
        line = LINES[index % len(LINES)]
        for spot, mark in zip(group, marks, strict=True):
            if mark and not any(_near((spot.cost, spot.gain), other) for other in names):
                names.append((spot.cost, spot.gain))
                _name(axes, spot, left=spot.cost < middle)
        axes.step(*zip(*best, strict=True), where="post", color=INK, linewidth=1, linestyle=line, label=label)


def _near(first: tuple[float, float], second: tuple[float, float]) -> bool:
    """Return whether names at two points would cover each other."""
    return abs(math.log(first[0] / second[0])) < 0.15 and abs(first[1] - second[1]) < 2


def _name(axes: Axes, spot: Spot, *, left: bool) -> None:
    """Name a point of the front above it, where no other point can be; `left` says which half of the chart it is in."""
    side, shift = ("left", -3) if left else ("right", -5)
    text = label(spot.row)
    axes.annotate(text, (spot.cost, spot.gain), (shift, 5), textcoords="offset points", ha=side, fontsize=7, color=INK)


def _dots(axes: Axes, spots: Sequence[Spot]) -> None:
    colours = palette.assign(str(spot.row.record.precision) for spot in spots)
    for (precision, format, hollow), group in grouped(spots, _style).items():
        colour = colours[precision].light
        axes.scatter(
            [spot.cost for spot in group],
            [spot.gain for spot in group],
            s=34,
            zorder=3,
            marker=palette.FORMATS.get(format, palette.OTHER_FORMAT)[1],
            facecolors="white" if hollow else colour,
            edgecolors=colour if hollow else "white",
            linewidths=1.2 if hollow else 0.6,
            label=f"{precision} {format}{', predicted' * hollow}",
        )


def _style(spot: Spot) -> tuple[str, str, bool]:
    return str(spot.row.record.precision), str(spot.row.record.format), spot.hollow


def _measured(groups: Groups) -> bool:
    """Return whether any row has a measured top-1, which is then drawn instead of the published one."""
    return any(row.evaluation for group in groups.values() for row in group)


def _top1(row: Row, measured: bool) -> float | None:
    if measured:
        top1 = row.evaluation.top1 if row.evaluation else None
        return None if top1 is None else 100 * top1
    return row.published[0] if row.published else None


def _images(row: Row, measured: bool) -> tuple[str, int] | None:
    return (row.evaluation.data, row.evaluation.n) if measured and row.evaluation else None
