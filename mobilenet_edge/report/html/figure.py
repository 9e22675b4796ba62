"""What every picture is drawn on: panels of one size, and axes whose numbers are plain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH: Final = 6.4
HEIGHT: Final = 4.2
# Inches of a strip or a bar with its label, and around all of them.
LINE: Final = 0.24
AROUND: Final = 1.1


def panels(titles: Sequence[str], *, share_y: bool = False) -> tuple[Figure, list[Axes]]:
    """Make a figure with a panel for each title, side by side, or below each other where they are more than two."""
    columns = min(len(titles), 2)
    lines = math.ceil(len(titles) / columns)
    figure, axes = stacked(lines, columns, (WIDTH * columns, HEIGHT * lines), share_y=share_y)
    for each, title in zip(axes, titles, strict=False):
        each.set_title(title)
    for unused in axes[len(titles) :]:
        unused.remove()
    return figure, axes[: len(titles)]


def stacked(
    lines: int, columns: int = 1, inches: tuple[float, float] = (WIDTH, HEIGHT), *, share_x: bool = False,
    share_y: bool = False,
) -> tuple[Figure, list[Axes]]:  # fmt: skip
    """Make a figure with a grid of panels, without a window and without state that other figures see."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False, sharex=share_x, sharey=share_y)
    return figure, list(axes.flat)


def rows(count: int) -> tuple[Figure, Axes]:
    """Make a figure with room for so many lines of text on the left."""
    figure, (axes,) = stacked(1, 1, (WIDTH * 1.25, AROUND + LINE * count))
    axes.grid(visible=False, axis="y")
    return figure, axes


def logarithmic(axes: Axes, values: Sequence[float], title: str) -> None:
    """Make the x axis logarithmic, with plain numbers: 1, 2, 5, 10, closer where the values are close."""
    low, high = min(values) / 1.12, max(values) * 1.12
    steps: Sequence[float] = (1, 2, 5) if high / low > 3 else (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [tick for power in powers for step in steps if low <= (tick := step * 10.0**power) <= high]
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_xticks(ticks, [f"{tick:.3g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(title)
