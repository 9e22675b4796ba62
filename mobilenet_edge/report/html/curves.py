"""Training runs for the page and as a chart: how loss and accuracy moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mobilenet_edge.records import Record, Training
from mobilenet_edge.report import lesson
from mobilenet_edge.report.html import figure as draw
from mobilenet_edge.report.html import palette
from mobilenet_edge.report.html.points import FAMILY
from mobilenet_edge.report.html.shorten import shorten
from mobilenet_edge.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# A chart with more lines cannot be read; the page shows all.
MAX_LINES = 12


def select(records: Iterable[Record]) -> list[Training]:
    """Return the training runs among records, the last one of each model file."""
    runs = [record for record in records if isinstance(record, Training)]
    return list({(record.artifact, record.variant): record for record in runs}.values())


def label(record: Training) -> str:
    """Return a short name of the model, without the prefix of all MobileNets."""
    return printable(shorten(record.variant.removeprefix(FAMILY)))


def data(runs: Sequence[Training]) -> list[dict[str, Any]]:
    """Return plain values for the page: a curve is a list of (step or epoch, loss, accuracy in percent)."""
    return [
        {
            "label": label(record),
            "head": _curve(record.head, "step"),
            "tuning": _curve(record.tuning, "epoch"),
            "facts": [printable(line) for line in lesson.text(record).splitlines()],
        }
        for record in runs
    ]


def figure(runs: Sequence[Training]) -> Figure | None:
    """Draw accuracy on the validation pictures, of the heads and of fine-tuning; return None without any runs."""
    shown = list(runs)[:MAX_LINES]
    if not shown:
        return None
    tuned = [record for record in shown if record.tuning]
    drawn, axes = draw.panels(["head", *(["fine-tuning"] if tuned else [])], share_y=True)
    colours = {id(record): palette.COLOURS[index % len(palette.COLOURS)].light for index, record in enumerate(shown)}
    for record in shown:
        _line(axes[0], _curve(record.head, "step"), colours[id(record)], label(record))
    for record in tuned:
        _line(axes[1], _curve(record.tuning, "epoch"), colours[id(record)], label(record))
    axes[0].set_ylabel("accuracy on validation pictures in %")
    for panel, title in zip(axes, ("step", "epoch"), strict=False):
        panel.set_xlabel(title)
        panel.locator_params(axis="x", integer=True)
    drawn.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return drawn


def _line(axes: Axes, curve: Sequence[tuple[int, float, float]], colour: str, name: str) -> None:
    steps = [step for step, _, _ in curve]
    axes.plot(steps, [accuracy for _, _, accuracy in curve], linewidth=1.4, color=colour, label=name)


def _curve(points: Sequence[dict[str, Any]], step: str) -> list[tuple[int, float, float]]:
    return [
        (point[step], round(point["validation_loss"], 4), round(100 * point["validation_accuracy"], 2))
        for point in points
    ]
