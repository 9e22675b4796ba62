"""Create figures with panels of equal size, and axes with plain numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH: Final = 6.4
HEIGHT: Final = 4.2
# Height of a strip or bar with its label, and of the margins, in inches.
LINE_HEIGHT: Final = 0.24
MARGIN: Final = 1.1


def panels(titles: Sequence[str], *, share_y: bool = False) -> tuple[Figure, list[Axes]]:
    """Create a figure with one panel per title, in at most two columns."""
    columns = min(len(titles), 2)
    lines = math.ceil(len(titles) / columns)
    figure, axes = stacked(lines, columns, (WIDTH * columns, HEIGHT * lines), share_y=share_y)
    for panel, title in zip(axes, titles, strict=False):
        panel.set_title(title)
    for unused in axes[len(titles) :]:
        unused.remove()
    return figure, axes[: len(titles)]


def stacked(
    lines: int, columns: int = 1, inches: tuple[float, float] = (WIDTH, HEIGHT), *, share_x: bool = False,
    share_y: bool = False,
) -> tuple[Figure, list[Axes]]:  # fmt: skip
    """Create a figure with a grid of panels, without pyplot and its global state."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False, sharex=share_x, sharey=share_y)
    return figure, list(axes.flat)


def rows(count: int) -> tuple[Figure, Axes]:
    """Create a figure with room for `count` labels on the left."""
    figure, (axes,) = stacked(1, 1, (WIDTH * 1.25, MARGIN + LINE_HEIGHT * count))
    axes.grid(visible=False, axis="y")
    return figure, axes


def logarithmic(axes: Axes, values: Sequence[float], title: str) -> None:
    """Make the x axis logarithmic with plain numbers: 1, 2, 5, 10, or finer for a small range."""
    low, high = min(values) / 1.12, max(values) * 1.12
    steps: Sequence[float] = (1, 2, 5) if high / low > 3 else (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [tick for power in powers for step in steps if low <= (tick := step * 10.0**power) <= high]
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_xticks(ticks, [f"{tick:.3g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(title)
