"""Latency of a whole grid from measurements of a few of its models; docs/predict.md says how, and how well.

Two parts: a sum of what the layers do, with weights fitted to the machine, and what measured models deviate from it,
carried over to models of much the same width and resolution (a Gaussian process; Rasmussen and Williams, "Gaussian
Processes for Machine Learning" (2006), chapter 2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.analysis.features import PRIOR, matrix
from mobilenet_edge.analysis.regression import nonnegative
from mobilenet_edge.errors import UsageError
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records.interval import student

Array = NDArray[np.float64]

# With two, what one of them says of the other is all that is known of the error.
FEWEST: Final = 3
CONFIDENCE: Final = 0.95
# As standard deviations of a latency's logarithm: what a sum over layers leaves open, what two measurements of the
# same thing differ by at least, and how far a weight may be from its prior, as a share of it.
DEVIATION: Final = 0.15
NOISE: Final = 0.04
PRIOR_WIDTH: Final = 0.4
# How far apart, in octaves of alpha and of resolution, deviations are still much the same. Widths decide which kernels
# fill their vectors; resolutions only repeat them.
OCTAVES: Final = (0.7, 1.5)


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
        precision: Of the artifacts, which decides how many bytes a weight has.
        specs: What was measured.
        latencies: Medians, in milliseconds.
        noises: Standard error of each median, as a share of it; below `NOISE` it counts as that.
    """

    precision: str
    specs: tuple[ModelSpec, ...]
    latencies: tuple[float, ...]
    noises: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(set(self.specs)) == len(self.specs) == len(self.latencies) == len(self.noises):
            raise ValueError("one latency and one noise for each model, and each model once")
        if len(self.specs) < FEWEST:
            raise ValueError(f"{len(self.specs)} measurements are too few to predict from; at least {FEWEST}")

    @cached_property
    def errors(self) -> tuple[float, ...]:
        """How far each measurement is from what the others predict for it: ln(measured / predicted)."""
        return tuple(
            math.log(each / guess) for each, (guess, _) in zip(self.latencies, self._leave_one_out, strict=True)
        )

    @property
    def error(self) -> float:
        """Median of `errors` as a share of the prediction, sign aside."""
        return math.expm1(median(map(abs, self.errors)))

    def predict(self, spec: ModelSpec) -> Estimate | None:
        """Estimate the latency of a model; None for one that does not lie between those that were measured."""
        if not inside(spec, self.specs):
            return None
        ms, deviation = self._guess(spec, range(len(self.specs)))
        reach = math.exp(max(self._widening * deviation, self._noise_floor))
        return Estimate(ms, ms / reach, ms * reach)

    @cached_property
    def _widening(self) -> float:
        """How many of the deviations it is thought to have a prediction may be off, going by `errors`.

        What a normal distribution of such errors would keep to, by Student's t for so few of them; never less than the
        largest that was seen.
        """
        seen = [error / deviation for error, (_, deviation) in zip(self.errors, self._leave_one_out, strict=True)]
        spread = math.sqrt(sum(each**2 for each in seen) / len(seen))
        return max(
            *map(abs, seen),
            _confident(len(seen)) * spread * math.sqrt(1 + 1 / len(seen)),
        )

    @property
    def _noise_floor(self) -> float:
        """What noise alone may make of the difference, however well the others fit."""
        return _confident(len(self.noises)) * max(median(self.noises), NOISE) * math.sqrt(1 + 1 / len(self.noises))

    @cached_property
    def _leave_one_out(self) -> tuple[tuple[float, float], ...]:
        """What is predicted for each measured model by the others."""
        every = range(len(self.specs))
        return tuple(self._guess(self.specs[out], [each for each in every if each != out]) for out in every)

    def _guess(self, spec: ModelSpec, kept: Sequence[int]) -> tuple[float, float]:
        """Predict from some of the measurements: a latency, and the deviation its logarithm is thought to have."""
        specs = [self.specs[each] for each in kept]
        times = np.array([self.latencies[each] for each in kept])
        noise = np.maximum([self.noises[each] for each in kept], NOISE)
        rows, row = matrix(specs, self.precision), matrix([spec], self.precision)
        weights = _weights(rows, times, noise)
        log_residuals = np.log(times / (rows @ weights))
        shared = _kernel([spec], specs)
        ms = float(
            (row @ weights)[0]
            * np.exp(shared @ np.linalg.solve(_kernel(specs, specs) + np.diag(noise**2), log_residuals))[0]
        )
        left = _posterior_variance([spec], specs, self.precision, noise)[0] + np.median(noise) ** 2
        return ms, math.sqrt(left)


def choose(specs: Sequence[ModelSpec], count: int) -> list[int]:
    """Choose what to measure of a grid so that the rest can be predicted.

    First what does not lie between others; then, one after another, the model whose measurement leaves least unknown of
    the whole grid, going by the mean variance (a greedy I-optimal design).

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
    while len(chosen) < count:
        chosen.append(
            min(set(range(len(specs))) - set(chosen), key=lambda each: (_unknown(specs, [*chosen, each]), each))
        )
    return sorted(chosen)


def _unknown(specs: Sequence[ModelSpec], chosen: Sequence[int]) -> float:
    """Mean variance that is left in a grid."""
    left = _posterior_variance(specs, [specs[each] for each in chosen], "float32", np.full(len(chosen), NOISE))
    # Rounded, so that the order of a sum does not decide between equals.
    return round(float(left.mean()), 9)


def inside(spec: ModelSpec, others: Sequence[ModelSpec]) -> bool:
    """Whether the numbers of a model are a weighted mean of those of others of its family."""
    others = [each for each in others if each.family == spec.family]
    corners = np.array([_numbers(each) for each in others], np.float64).reshape(len(others), -1)
    point = np.array(_numbers(spec), np.float64)
    # The last equation makes the weights sum to 1.
    system, target = np.vstack([(corners / point).T, np.ones(len(others))]), np.ones(point.size + 1)
    missed = system @ nonnegative(system, target) - target
    return bool(np.abs(missed).max() < 1e-6)


def _weights(rows: Array, times: Array, noise: Array) -> Array:
    """Fit the weights of the features to latencies, relative errors counting; shape (features,)."""
    relative, one = rows / (times * noise)[:, None], 1 / noise
    scale = float(nonnegative(relative.sum(axis=1, keepdims=True), one)[0])
    prior = np.eye(len(PRIOR)) / PRIOR_WIDTH
    return scale * nonnegative(np.vstack([scale * relative, prior]), np.concatenate([one, prior.sum(axis=1)]))


def _posterior_variance(
    specs: Sequence[ModelSpec], measured: Sequence[ModelSpec], precision: str, noise: Array
) -> Array:
    """Variance that the logarithm of each latency still has when some were measured, shape (specs,)."""
    first, second = _shares(specs, precision), _shares(measured, precision)
    shared = _kernel(specs, measured) + PRIOR_WIDTH**2 * first @ second.T
    known = _kernel(measured, measured) + PRIOR_WIDTH**2 * second @ second.T + np.diag(noise**2)
    before = DEVIATION**2 + PRIOR_WIDTH**2 * (first**2).sum(axis=1)
    left: Array = before - np.einsum("ij,ji->i", shared, np.linalg.solve(known, shared.T))
    return np.maximum(left, 0)


def _shares(specs: Sequence[ModelSpec], precision: str) -> Array:
    """What each feature is thought to have of a latency."""
    rows = matrix(specs, precision)
    shares: Array = rows / rows.sum(axis=1, keepdims=True)
    return shares


def _kernel(some: Sequence[ModelSpec], others: Sequence[ModelSpec]) -> Array:
    """Covariance of what models deviate from the sum over their layers, shape (some, others)."""
    apart = (_place(some)[:, None] - _place(others)[None]) / OCTAVES
    alike: Array = DEVIATION**2 * np.exp(-0.5 * (apart**2).sum(axis=-1))
    # Another family's layers are of other shapes, and deviate in ways of their own.
    alike *= np.array([[each.family == other.family for other in others] for each in some])
    return alike


def _numbers(spec: ModelSpec) -> tuple[float, ...]:
    return spec.alpha, spec.resolution, spec.classes, spec.channels


def _place(specs: Sequence[ModelSpec]) -> Array:
    return np.log2([[each.alpha, each.resolution] for each in specs])


def _confident(freedom: int) -> float:
    """Return the value below which Student's t stays in magnitude with probability `CONFIDENCE`."""
    return float(student(freedom, CONFIDENCE, absolute=True))
