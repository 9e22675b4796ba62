"""Compare two models on the same pictures, and estimate how many pictures would decide between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from mobilenet_edge.analysis.binomial import Z95, clopper_pearson, mcnemar

# A difference is shown if its p-value is below this.
LEVEL: Final = 0.05
# Probability with which the estimated number of pictures shows a true difference of the observed size.
POWER: Final = 0.8
_Z_POWER: Final = 0.8416212335729143  # the normal distribution's 80 % point


@dataclass(frozen=True)
class Paired:
    """How often two models are right on the same pictures.

    Attributes:
        n: Number of pictures.
        gained: Pictures that only the second model has right.
        lost: Pictures that only the first model has right.
    """

    n: int
    gained: int
    lost: int

    def __post_init__(self) -> None:
        if self.n < 1 or min(self.gained, self.lost) < 0 or self.gained + self.lost > self.n:
            raise ValueError(f"{self.gained} gained and {self.lost} lost of {self.n}")

    @property
    def difference(self) -> float:
        """Accuracy of the second model minus that of the first, as a fraction."""
        return (self.gained - self.lost) / self.n

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the exact McNemar test."""
        return mcnemar(self.gained, self.lost)

    @property
    def shown(self) -> bool:
        """Whether the difference is shown at the 5 % level."""
        return self.p_value < LEVEL

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the difference, as fractions.

        It combines the Clopper-Pearson intervals of the share of pictures that one model alone has right, and of the
        gained among these. It is conservative, and contains 0 if and only if the difference is not shown.
        """
        either = self.gained + self.lost
        few, many = clopper_pearson(either, self.n)
        low, high = clopper_pearson(self.gained, either) if either else (0.0, 1.0)
        return (2 * low - 1) * (many if low < 0.5 else few), (2 * high - 1) * (many if high > 0.5 else few)

    @property
    def needed(self) -> int | None:
        """Estimated number of pictures that would show the observed difference; None if there is none.

        n = (z₁·√ψ + z₂·√(ψ - δ²))² / δ², where ψ is the share of pictures that one model alone has right, δ the
        difference, and z₁, z₂ the normal quantiles for the 5 % level and a power of 80 % (Connor, "Sample size for
        testing differences in proportions for the paired-sample design", Biometrics 43, 1987).
        """
        share, difference = (self.gained + self.lost) / self.n, self.difference
        if not difference:
            return None
        root = Z95 * math.sqrt(share) + _Z_POWER * math.sqrt(share - difference**2)
        return math.ceil((root / difference) ** 2)


def needed_unpaired(share: float, other: float) -> int | None:
    """Estimate the number of pictures that would show a difference if no answers are paired; None for equal shares.

    n = (z₁ + z₂)²·(p₁(1 - p₁) + p₂(1 - p₂)) / (p₁ - p₂)² for each model (Fleiss, "Statistical Methods for Rates and
    Proportions", 1981, without the correction for continuity). Models that err on the same pictures need fewer.
    """
    if share == other:
        return None
    variance = share * (1 - share) + other * (1 - other)
    return math.ceil((Z95 + _Z_POWER) ** 2 * variance / (share - other) ** 2)
