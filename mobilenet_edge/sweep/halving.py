"""Which variants are trained further: successive halving (arXiv:1502.07943) among those below the stated accuracy."""

from __future__ import annotations

from collections.abc import Sequence

from mobilenet_edge.analysis.binomial import wilson
from mobilenet_edge.records import Training


def stopped(trained: Sequence[Training], min_top1: float, *, last: bool) -> list[tuple[Training, str]]:
    """Choose the variants to stop, by the upper end of the 95 % interval of their accuracy on validation pictures.

    Args:
        trained: Variants after equal budgets.
        min_top1: Accuracy in percent that is needed.
        last: Whether there is no larger budget. Before the last one, only the less accurate half can be stopped.

    Returns:
        The variants to stop, each with the reason.
    """
    ordered = sorted(trained, key=lambda record: -_accuracy(record))
    worse = ordered if last else ordered[-(len(ordered) // 2) :] if len(ordered) > 1 else []
    return [(record, _reason(record, min_top1)) for record in worse if 100 * _highest(record) < min_top1]


def _accuracy(record: Training) -> float:
    return record.accuracy if record.validation_accuracy is None else record.validation_accuracy


def _highest(record: Training) -> float:
    n = record.pictures["validation"]
    return wilson(round(_accuracy(record) * n), n)[1]


def _reason(record: Training, min_top1: float) -> str:
    epochs = max(0, len(record.tuning) - 1)
    n = record.pictures["validation"]
    return (
        f"after {epochs} epochs of fine-tuning, {_accuracy(record):.1%} of {n} validation pictures were right, at most "
        f"{_highest(record):.1%} with 95 % confidence, and min_top1 is {min_top1:g} %"
    )
