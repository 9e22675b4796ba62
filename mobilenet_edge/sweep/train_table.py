"""The table `[train]` of a sweep: the options of `mnet train` for all variants."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from mobilenet_edge.errors import UsageError
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.sweep.weights_table import WeightsTable
from mobilenet_edge.training.arguments import Arguments

# Part of the epochs after which variants are compared, where `min_top1` is stated.
_FIRST_SHARE = 4


@dataclass(frozen=True)
class TrainTable:
    """Arguments of `mnet train`.

    Attributes:
        data: Folder of class folders.
        weights: Of the bodies; by default those of the sweep, else ImageNet's.
        epochs, unfreeze, validation, test, seed: As the options of `mnet train`.
        teacher: A classifier whose answers are learned.
        min_top1: Accuracy in percent that a variant must be able to reach; others are stopped.
    """

    data: str
    weights: WeightsTable | None = None
    epochs: int = 0
    unfreeze: int | str = 6
    teacher: str | None = None
    validation: float = 0.2
    test: float = 0.2
    seed: int = 0
    min_top1: float | None = None

    def __post_init__(self) -> None:
        if not self.test > 0:
            raise UsageError(f"train.test must be above 0, got {self.test:g}; accuracy is of test pictures")
        if self.min_top1 is not None and not (math.isfinite(self.min_top1) and 0 <= self.min_top1 <= 100):
            raise UsageError(f"train.min_top1 must be from 0 to 100 percent, got {self.min_top1:g}")

    def options(self, spec: ModelSpec, weights: str, epochs: int | None = None) -> Arguments:
        """Return the options for one variant.

        Raises:
            UsageError: A value is out of range.
        """
        return Arguments(
            alpha=spec.alpha,
            rho=spec.resolution,
            family=spec.family,
            weights=weights,
            epochs=self.epochs if epochs is None else epochs,
            unfreeze=str(self.unfreeze),
            teacher=None if self.teacher is None else Path(self.teacher),
            validation=self.validation,
            test=self.test,
            seed=self.seed,
        )

    def budgets(self) -> list[int]:
        """Return the numbers of epochs after which variants are compared; the last one is that of the result."""
        if self.min_top1 is None:
            return [self.epochs]
        return sorted({0, math.ceil(self.epochs / _FIRST_SHARE), self.epochs})
