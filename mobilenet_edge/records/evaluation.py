"""Accuracy as a record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mobilenet_edge.records.record import ArtifactRecord


@dataclass(frozen=True, kw_only=True)
class Evaluation(ArtifactRecord):
    """Accuracy of one artifact on a folder of images.

    Attributes:
        top1: Share of images whose first answer is right: the class of the greatest score, or the side of the threshold
            that the only score lies on; of several labels any of them. None for features.
        top5: Share of images whose first five answers hold the right one; None likewise.
        n: Number of images scored.
        interval: 95 % Wilson interval of `top1`; None likewise.
        head: What the outputs mean: "classes", "logits", "probability", "logit", "labels" or "features".
        accuracy: Of several labels: share of the decisions that are right, each image and label counting once.
        f1_micro: Of several labels: F1 score of all decisions together.
        f1_macro: Of several labels: mean F1 score of the labels.
        mean_average_precision: Of several labels: over those that an image has.
        cosine: Of features: mean cosine with the reference's.
        agreement: Share of images answered as by the reference: the same top-1, or the same set of labels. None without
            one.
        reference: Path of the reference model.
        data: The image folder.
        unreadable: Names of image files that could not be read and are not counted.
        runtime: What ran the model.
        runtime_version: Its version.
        conditions: How it was measured: threads, images found, where the labels come from, preprocessing.
    """

    kind = "evaluation"

    top1: float | None = None
    top5: float | None = None
    n: int
    interval: tuple[float, float] | None = None
    head: str = "classes"
    accuracy: float | None = None
    f1_micro: float | None = None
    f1_macro: float | None = None
    mean_average_precision: float | None = None
    cosine: float | None = None
    agreement: float | None = None
    reference: str | None = None
    data: str = ""
    unreadable: tuple[str, ...] = ()
    runtime: str = ""
    runtime_version: str = ""
    conditions: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")
        if len({each is None for each in (self.top1, self.top5, self.interval)}) > 1:
            raise ValueError("top1, top5 and interval belong together")
        if self.top1 is None and self.cosine is None:
            raise ValueError("only features, which have a cosine, have no top1")
        if not 0 <= (self.top1 or 0) <= (self.top5 or 0) <= 1:
            raise ValueError("top1 and top5 are shares: from 0 to 1, and top5 no less than top1")
        for name in ("agreement", "accuracy", "f1_micro", "f1_macro", "mean_average_precision"):
            if not 0 <= (getattr(self, name) or 0) <= 1:
                raise ValueError(f"{name} is a share: from 0 to 1")

    def further(self) -> Iterator[tuple[str, str]]:
        """Name and write the figures of several labels and of features."""
        shares = {
            "labels right": self.accuracy,
            "F1 micro": self.f1_micro,
            "F1 macro": self.f1_macro,
            "mean average precision": self.mean_average_precision,
        }
        yield from ((name, f"{share:.1%}") for name, share in shares.items() if share is not None)
        if self.cosine is not None:
            yield "cosine", f"{self.cosine:.4f}"

    @property
    def measure(self) -> str:
        """What `merit` is."""
        if self.mean_average_precision is not None:
            return "mean average precision"
        return "cosine" if self.top1 is None else "top-1"

    @property
    def merit(self) -> float | None:
        """The one figure to choose by: mean average precision of several labels, cosine of features, else top-1."""
        if self.mean_average_precision is not None:
            return self.mean_average_precision
        return self.cosine if self.top1 is None else self.top1
