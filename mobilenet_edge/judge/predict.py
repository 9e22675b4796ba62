"""Latency of a whole grid from measurements of a few of its models; docs/predict.md says how, and how well."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.errors import UsageError
from mobilenet_edge.judge.features import matrix
from mobilenet_edge.judge.regression import nonnegative
from mobilenet_edge.spec import ModelSpec

Array = NDArray[np.float64]

# With two, what one of them says of the other is all that is known of the error.
FEWEST: Final = 3
CONFIDENCE: Final = 0.95
# How much a weight's distance from its prior counts beside the measurements, each of which counts as the square of its
# relative error: a weight twice its prior is worth as much as 10 % in one measurement.
STIFFNESS: Final = 0.1


@dataclass(frozen=True)
class Estimate:
    """A latency with the interval that is meant to hold 95 % of measured medians, in milliseconds."""

    ms: float
    low_ms: float
    high_ms: float


@dataclass(frozen=True)
class Model:
    """Latency on one machine, in one format and precision, at one thread count.

    Attributes:
        specs: What was measured.
        latencies: Medians, in milliseconds.
    """

    specs: tuple[ModelSpec, ...]
    latencies: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(set(self.specs)) < len(self.specs) or len(self.specs) != len(self.latencies):
            raise ValueError("one latency for each model, and each model once")
        if len(self.specs) < FEWEST:
            raise ValueError(f"{len(self.specs)} measurements are too few to predict from; at least {FEWEST}")

    @cached_property
    def errors(self) -> tuple[float, ...]:
        """How far each measurement is from what the others predict for it: ln(measured / predicted)."""
        rows, times = matrix(self.specs), np.array(self.latencies)
        kept = ~np.eye(len(times), dtype=bool)
        expected = [float(row @ _weights(rows[other], times[other])) for row, other in zip(rows, kept, strict=True)]
        return tuple(math.log(time / guess) for time, guess in zip(self.latencies, expected, strict=True))

    @property
    def error(self) -> float:
        """Median of `errors` as a share of the prediction, sign aside."""
        return math.expm1(median(map(abs, self.errors)))

    @cached_property
    def reach(self) -> float:
        """Half of the interval, as a logarithm.

        What a normal distribution of such errors would keep to, by Student's t for so few of them; and never less than
        the largest error that was seen.
        """
        count = len(self.errors)
        deviation = math.sqrt(sum(each**2 for each in self.errors) / count)
        return max(*map(abs, self.errors), _student(count) * deviation * math.sqrt(1 + 1 / count))

    def predict(self, spec: ModelSpec) -> Estimate | None:
        """Estimate the latency of a model; None for one that does not lie between those that were measured."""
        if not inside(spec, self.specs):
            return None
        ms = float((matrix([spec]) @ self._fitted)[0])
        return Estimate(ms, ms * math.exp(-self.reach), ms * math.exp(self.reach))

    @cached_property
    def _fitted(self) -> Array:
        return _weights(matrix(self.specs), np.array(self.latencies))


def choose(specs: Sequence[ModelSpec], count: int) -> list[int]:
    """Choose what to measure of a grid so that the rest can be predicted.

    First what does not lie between others; then, one after another, the model whose measurement tells most: after
    which the determinant of the information is largest (greedy D-optimal design).

    Args:
        specs: The grid, each model once.
        count: How many; of a smaller grid, all.

    Returns:
        Indexes, ascending; always the same for the same grid.

    Raises:
        UsageError: With so few, some of the grid would not lie between what was measured.
    """
    if count >= len(specs):
        return list(range(len(specs)))
    chosen = [index for index, spec in enumerate(specs) if not inside(spec, [*specs[:index], *specs[index + 1 :]])]
    least = max(FEWEST, len(chosen))
    if count < least:
        raise UsageError(f"--measure {count} is too few to predict the other models from; this grid needs {least}")
    rows = matrix(specs)
    # What counts is the relative error, so each row is taken relative to its own prior latency.
    rows = rows / rows.sum(axis=1, keepdims=True)
    information = STIFFNESS**2 * np.eye(rows.shape[1]) + rows[chosen].T @ rows[chosen]
    while len(chosen) < count:
        told = np.einsum("ij,ij->i", rows, np.linalg.solve(information, rows.T).T)
        told[chosen] = -1
        chosen.append(int(told.argmax()))
        information += np.outer(rows[chosen[-1]], rows[chosen[-1]])
    return sorted(chosen)


def inside(spec: ModelSpec, others: Sequence[ModelSpec]) -> bool:
    """Whether alpha, resolution and classes of a model are a weighted mean of those of others."""
    corners = np.array([list(asdict(each).values()) for each in others], np.float64).reshape(len(others), -1)
    point = np.array(list(asdict(spec).values()), np.float64)
    # The last equation makes the weights sum to 1.
    system, target = np.vstack([(corners / point).T, np.ones(len(others))]), np.ones(point.size + 1)
    missed = system @ nonnegative(system, target) - target
    return bool(np.abs(missed).max() < 1e-6)


def _weights(rows: Array, times: Array) -> Array:
    """Fit the weights of the features to latencies, relative errors counting; shape (features,)."""
    relative = rows / times[:, None]
    scale = float(nonnegative(relative.sum(axis=1, keepdims=True), np.ones(len(times)))[0])
    prior = STIFFNESS * np.eye(rows.shape[1])
    system = np.vstack([relative * scale, prior])
    return scale * nonnegative(system, np.concatenate([np.ones(len(times)), np.diag(prior)]))


def _student(freedom: int) -> float:
    """The quantile of Student's t that `CONFIDENCE` of its distribution keeps to, both signs taken together.

    With t = sqrt(freedom) tan(angle) its density is that of cos(angle) to the power freedom - 1, which is summed.
    """
    angles = np.linspace(0, math.pi / 2, 20_001)
    density = np.cos((angles[1:] + angles[:-1]) / 2) ** (freedom - 1)
    below = np.concatenate([[0.0], np.cumsum(density)])
    return math.sqrt(freedom) * math.tan(float(np.interp(CONFIDENCE, below / below[-1], angles)))
