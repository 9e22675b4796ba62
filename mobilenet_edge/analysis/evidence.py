"""Decide whether one model is shown to be more accurate or faster than another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mobilenet_edge.analysis.paired import Paired, needed_unpaired
from mobilenet_edge.records.answers import unpack

Interval = tuple[float, float]


@dataclass(frozen=True)
class Answers:
    """Right answers of one model.

    Attributes:
        share: Fraction of right answers.
        n: Number of pictures.
        interval: 95 % interval of `share`.
        pictures: Digest of the pictures; empty if it is not known which they are.
        right: Whether each of them is answered rightly, as packed by `records.answers.pack`; may be empty.
    """

    share: float
    n: int
    interval: Interval
    pictures: str = ""
    right: str = ""

    def paired(self, other: Answers) -> Paired | None:
        """Compare the answers with those of another model picture by picture; None if the pictures may differ."""
        if not (self.right and other.right and self.pictures) or (self.pictures, self.n) != (other.pictures, other.n):
            return None
        own, others = unpack(self.right, self.n), unpack(other.right, self.n)
        return Paired(self.n, int((own & ~others).sum()), int((others & ~own).sum()))

    def better(self, other: Answers) -> bool:
        """Return whether this model is shown to be better: by the exact McNemar test, else by disjoint intervals."""
        pair = self.paired(other)
        if pair is None:
            return self.interval[0] > other.interval[1]
        return pair.shown and pair.difference > 0

    def more_needed(self, other: Answers) -> int | None:
        """Estimate how many more pictures would show the observed difference; None if there is none."""
        pair = self.paired(other)
        needed = needed_unpaired(self.share, other.share) if pair is None else pair.needed
        return None if needed is None else max(1, needed - min(self.n, other.n))


class Measured(Protocol):
    """What is compared: accuracy and latency of one artifact."""

    @property
    def top1(self) -> float | None:
        """Accuracy in percent."""

    @property
    def answers(self) -> Answers | None:
        """Answers that the accuracy is of; None for a published figure and for other metrics."""

    @property
    def latency_ms(self) -> float:
        """Median latency in milliseconds."""

    @property
    def interval_ms(self) -> Interval | None:
        """95 % interval of the latency."""


def more_accurate(one: Measured, other: Measured) -> bool:
    """Return whether one model is shown to be more accurate; figures without an interval are taken as they are."""
    if one.answers is not None and other.answers is not None:
        return one.answers.better(other.answers)
    return one.top1 is not None and other.top1 is not None and one.top1 > other.top1


def faster(one: Measured, other: Measured) -> bool:
    """Return whether one model is shown to be faster; latencies without an interval are taken as they are."""
    if one.interval_ms is not None and other.interval_ms is not None:
        return one.interval_ms[1] < other.interval_ms[0]
    return one.latency_ms < other.latency_ms
