"""Accuracy as a record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mobilenet_edge.records.record import ArtifactRecord


@dataclass(frozen=True, kw_only=True)
class Evaluation(ArtifactRecord):
    """Accuracy of one artifact on a folder of images.

    Attributes:
        top1: Share of images whose first answer is right.
        top5: Share of images whose first five answers hold the right one.
        n: Number of images scored.
        interval: 95 % Wilson interval of `top1`.
        agreement: Share of images with the same top-1 as the reference, None without one.
        reference: Path of the reference model.
        data: The image folder.
        unreadable: Names of image files that could not be read and are not counted.
        runtime: What ran the model.
        runtime_version: Its version.
        conditions: How it was measured: threads, images found, where the labels come from, preprocessing.
    """

    kind = "evaluation"

    top1: float
    top5: float
    n: int
    interval: tuple[float, float]
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
        if not 0 <= self.top1 <= self.top5 <= 1 or not 0 <= (self.agreement or 0) <= 1:
            raise ValueError("top1, top5 and agreement are shares: from 0 to 1, and top5 no less than top1")
