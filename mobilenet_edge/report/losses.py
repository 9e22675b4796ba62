"""Explain which layers of an int8 file lose most, and what would help."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from mobilenet_edge.quantise.attribution import LayerLoss
from mobilenet_edge.quantise.partition import FLOAT_SHARE
from mobilenet_edge.report.markdown_table import Column, grid
from mobilenet_edge.text import printable

# Shares of the whole loss, and of the values, from which on a layer is spoken of.
LARGE: Final = 0.1
SATURATED: Final = 1e-3
USED: Final = 0.25
_COLUMNS: Final = (
    Column("layer", words=True),
    Column("op", words=True),
    Column("by weights"),
    Column("by activations"),
    Column("range"),
    Column("beyond it"),
    Column("dead channels"),
)


def text(losses: Sequence[LayerLoss]) -> str:
    """Format the loss of every layer, and advice on the ones that stand out.

    Args:
        losses: Of all layers in order, from `quantise.attribution.attribute`.
    """
    total = sum((loss.weights or 0) + loss.activations for loss in losses)
    rows = [_row(loss, total) for loss in losses]
    snr = f"{-10 * math.log10(total):.1f} dB" if total > 0 else "no loss"
    note = (
        f"Each layer was rounded alone in the float model; the squares of the logits' errors add up to {snr}. Their "
        "shares are by a layer's weights and by its output's 256 steps. In the file each layer makes good for some of "
        "the errors before it."
    )
    advice = [f"- {line}" for line in _advice(losses, total)]
    return "\n\n".join([grid(_COLUMNS, rows), note, *(["\n".join(advice)] if advice else [])])


def _row(loss: LayerLoss, total: float) -> list[str]:
    return [
        printable(loss.name),
        loss.op,
        "" if loss.weights is None else _percent(loss.weights, total),
        _percent(loss.activations, total),
        f"{loss.low:.3g} to {loss.high:.3g}",
        f"{loss.saturated:.2%}" if loss.saturated else "",
        f"{loss.dead} of {loss.channels}" if loss.dead else "",
    ]


def _percent(part: float, total: float) -> str:
    return f"{part / total:.1%}" if total > 0 else ""


def _advice(losses: Sequence[LayerLoss], total: float) -> Iterator[str]:
    early = [loss for loss in losses if 0 < loss.macs_share <= FLOAT_SHARE]
    saved = sum((loss.weights or 0) + loss.activations for loss in early)
    if total > 0 and saved >= LARGE * total:
        yield (
            f"{saved / total:.0%} of the loss is in the first {FLOAT_SHARE:.0%} of the MACs, up to "
            f"{printable(early[-1].name)}: --precision mixed keeps them in float32."
        )
    if dead := sum(loss.dead > 0 for loss in losses):
        yield f"{dead} layers have channels that are always the same, which cost time and size; a smaller alpha may do."
    for loss in losses:
        yield from (f"{printable(loss.name)}: {fact}" for fact in _facts(loss, total, loss in early))


def _facts(loss: LayerLoss, total: float, early: bool) -> Iterator[str]:
    weights = loss.weights or 0
    if weights >= LARGE * total > 0 and not early:
        yield f"its weights make {weights / total:.0%} of the loss; calibrate with more pictures."
    if loss.activations >= LARGE * total > 0 and not early:
        yield f"its output makes {loss.activations / total:.0%} of the loss."
    if loss.activations >= LARGE * total > 0 and loss.used < USED:
        yield (
            f"rare values stretch its range: all but a thousandth lie in {loss.used:.0%} of it; look for pictures in "
            "the calibration folder that are unlike the others."
        )
    if loss.saturated >= SATURATED:
        yield f"{loss.saturated:.1%} of its values lie beyond the range; calibrate with more pictures like these."
