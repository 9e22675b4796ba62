"""What is asked of a training, and the ranges of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mobilenet_edge.errors import UsageError
from mobilenet_edge.model import layers
from mobilenet_edge.model import weights as sources
from mobilenet_edge.model.spec import Family, ModelSpec
from mobilenet_edge.training import tune

ALL: Final = "all"
_SEEDS: Final = 1 << 32


@dataclass(frozen=True)
class Arguments:
    """How a classifier is trained, apart from its pictures.

    Attributes:
        alpha: Width multiplier.
        rho: Side of the input in pixels.
        family: Of the architecture.
        weights: What the body begins with: "imagenet", "random" or a file.
        epochs: Passes of fine-tuning; 0 trains the head alone.
        unfreeze: Blocks that are fine-tuned, counted from the head, or "all".
        teacher: A `.keras` classifier whose answers are learned.
        validation: Share of the pictures that decide when to stop, where there is no folder of them.
        test: Share of the pictures that are only scored, likewise.
        qat: Whether to tune the integers of int8 files as well.
        seed: Of everything drawn at random, from 0 to 2^32 - 1.

    Raises:
        UsageError: A value is out of range.
    """

    alpha: float
    rho: int
    family: Family = "mobilenet_v1"
    weights: str = sources.IMAGENET
    epochs: int = 0
    unfreeze: str = "6"
    teacher: Path | None = None
    validation: float = 0.2
    test: float = 0.0
    qat: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.seed < _SEEDS:
            raise UsageError(f"seed must be from 0 to {_SEEDS - 1}, got {self.seed}")
        if self.epochs < 0:
            raise UsageError(f"epochs must be 0 or more, got {self.epochs}")
        if not (0 < self.validation < 1 and 0 <= self.test < 1 and self.validation + self.test < 1):
            shares = f"validation {self.validation:g} and test {self.test:g}"
            raise UsageError(f"{shares} must be shares of the pictures whose sum is below 1")
        self.tuning()

    def spec(self, classes: int = 1) -> ModelSpec:
        """Return the variant for a number of classes."""
        return ModelSpec(self.alpha, self.rho, classes, self.family)

    def tuning(self) -> tune.Options:
        """Return the options of fine-tuning."""
        blocks = len(layers.blocks(self.spec()))
        if self.unfreeze != ALL and not (self.unfreeze.isdecimal() and int(self.unfreeze) <= blocks):
            raise UsageError(f"unfreeze must be 0 to {blocks} blocks, or all; got {self.unfreeze!r}")
        unfreeze = blocks + 1 if self.unfreeze == ALL else int(self.unfreeze)
        return tune.Options(epochs=self.epochs, unfreeze=unfreeze, seed=self.seed)
