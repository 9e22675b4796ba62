"""Explain which layers of an int8 file lose most, and what would help."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from mobilenet_edge.quantise.partition import FLOAT_SHARE
from mobilenet_edge.records.export import LayerLoss
from mobilenet_edge.report.markdown_table import Column, grid
from mobilenet_edge.text import printable

# Shares of the whole loss, and of the values, from which on a layer is spoken of.
LARGE: Final = 0.1
SATURATED: Final = 1e-3
USED: Final = 0.25
COLUMNS: Final = (
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
    table = grid(COLUMNS, [row(loss, total(losses)) for loss in losses])
    lines = "\n".join(f"- {line}" for line in advice(losses))
    return "\n\n".join([table, note(losses), *([lines] if lines else [])])


def total(losses: Sequence[LayerLoss]) -> float:
    """Add up the squares of the logits' errors, relative to the logits' own."""
    return sum(loss.total for loss in losses)


def snr(losses: Sequence[LayerLoss]) -> str:
    """Return the sum of all losses as a signal-to-noise ratio."""
    power = total(losses)
    return f"{-10 * math.log10(power):.1f} dB" if power > 0 else "no loss"


def note(losses: Sequence[LayerLoss]) -> str:
    """Say what the table is of."""
    return (
        f"Each layer was rounded alone in the float model; the squares of the logits' errors add up to {snr(losses)}. "
        "Their shares are by a layer's weights and by its output's 256 steps. In the file each layer makes good for "
        "some of the errors before it."
    )


def row(loss: LayerLoss, total: float) -> list[str]:
    """Return the cells of a layer, a text for each of `COLUMNS`."""
    return [
        printable(loss.name),
        printable(loss.op),
        "" if loss.weights is None else _percent(loss.weights, total),
        _percent(loss.activations, total),
        f"{loss.low:.3g} to {loss.high:.3g}",
        f"{loss.saturated:.2%}" if loss.saturated else "",
        f"{loss.dead} of {loss.channels}" if loss.dead else "",
    ]


def _percent(part: float, total: float) -> str:
    return f"{part / total:.1%}" if total > 0 else ""


def advice(losses: Sequence[LayerLoss]) -> Iterator[str]:
    """Say what stands out, and what would help."""
    whole = total(losses)
    early = [loss for loss in losses if 0 < loss.macs_share <= FLOAT_SHARE]
    saved = total(early)
    if whole > 0 and saved >= LARGE * whole:
        yield (
            f"{saved / whole:.0%} of the loss is in the first {FLOAT_SHARE:.0%} of the MACs, up to "
            f"{printable(early[-1].name)}: --precision mixed keeps them in float32."
        )
    if dead := sum(loss.dead > 0 for loss in losses):
        yield f"{dead} layers have channels that are always the same, which cost time and size; a smaller alpha may do."
    for loss in losses:
        yield from (f"{printable(loss.name)}: {fact}" for fact in _facts(loss, whole, loss in early))


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
