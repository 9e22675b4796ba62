"""Convert the losses of int8 layers to what the page shows: a table with bars, and advice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mobilenet_edge.records import Export
from mobilenet_edge.records.export import LayerLoss
from mobilenet_edge.report import losses
from mobilenet_edge.report.html.points import name
from mobilenet_edge.text import printable


class Layer(NamedTuple):
    """Line of a table: the cells of `losses.COLUMNS`, and the widths of its bars in percent of the longest."""

    cells: list[str]
    weights: float
    activations: float


class Losses(NamedTuple):
    """What the page shows of int8 files with the same integers."""

    label: str
    summary: str
    layers: list[Layer]
    note: str
    advice: list[str]


def data(exports: Sequence[Export]) -> list[Losses]:
    """Return the losses of the int8 files; files of one export have the same integers and are shown together."""
    files: dict[tuple[LayerLoss, ...], list[str]] = {}
    for export in exports:
        if export.losses:
            files.setdefault(export.losses, []).append(name(export))
    return [_show(found, names) for found, names in files.items()]


def _show(found: Sequence[LayerLoss], names: Sequence[str]) -> Losses:
    whole, longest = losses.total(found), max(loss.total for loss in found) or 1.0
    layers = [
        Layer(losses.row(loss, whole), _percent(loss.weights or 0, longest), _percent(loss.activations, longest))
        for loss in found
    ]
    worst = sorted(found, key=lambda loss: -loss.total)[:3]
    most = ", ".join(f"{printable(loss.name)} {loss.total / whole:.0%}" for loss in worst) if whole > 0 else ""
    summary = f"{losses.snr(found)}{f', most of it by {most}' if most else ''}"
    return Losses(" and ".join(names), summary, layers, losses.note(found), list(losses.advice(found)))


def _percent(part: float, longest: float) -> float:
    return round(max(0.0, min(100 * part / longest, 100.0)), 1)
