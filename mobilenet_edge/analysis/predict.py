"""Predict the latency of a grid of models from measurements of a few; see docs/sweep.md for method and accuracy.

A prediction has two parts: a sum over the work in the layers, with weights fitted to the machine, and a Gaussian
process over the log residuals, which carries them over to models of similar width and resolution (Rasmussen and
Williams, "Gaussian Processes for Machine Learning" (2006), chapter 2).
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
from mobilenet_edge.records.interval import student_t

Array = NDArray[np.float64]

# With two models, leave-one-out validation would predict from a single measurement.
MIN_MODELS: Final = 3
CONFIDENCE: Final = 0.95
# Standard deviations of the logarithm of a latency: of the residuals of the sum over layers, and of repeated
# measurements (at least). PRIOR_WIDTH is the relative standard deviation of a weight around its prior.
DEVIATION: Final = 0.15
NOISE: Final = 0.04
PRIOR_WIDTH: Final = 0.4
# Length scales of the covariance in octaves of alpha and of resolution. The width decides how well kernels fill their
# vector registers; the resolution only repeats the same kernels.
LENGTH_SCALES: Final = (0.7, 1.5)


@dataclass(frozen=True)
class Estimate:
    """Predicted latency with its 95 % interval for a measured median, in milliseconds."""

    ms: float
    low_ms: float
    high_ms: float


@dataclass(frozen=True)
class Model:
    """Latency model of one machine, format, precision and thread count.

    Attributes:
        precision: Precision of the artifacts, which sets the bytes per weight.
        specs: Measured models.
        latencies: Median latency of each model in milliseconds.
        noises: Relative standard error of each median; values below `NOISE` are raised to it.

    Raises:
        ValueError: The lengths differ, a model is repeated, or there are fewer than `MIN_MODELS`.
    """

    precision: str
    specs: tuple[ModelSpec, ...]
    latencies: tuple[float, ...]
    noises: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(set(self.specs)) == len(self.specs) == len(self.latencies) == len(self.noises):
            raise ValueError("need one latency and one noise per model, and each model once")
        if len(self.specs) < MIN_MODELS:
            raise ValueError(f"need at least {MIN_MODELS} models to predict from, got {len(self.specs)}")

    @cached_property
    def errors(self) -> tuple[float, ...]:
        """Leave-one-out errors, ln(measured / predicted)."""
        return tuple(
            math.log(measured / predicted)
            for measured, (predicted, _) in zip(self.latencies, self._leave_one_out, strict=True)
        )

    @property
    def error(self) -> float:
        """Median of the absolute `errors`, relative to the prediction."""
        return math.expm1(median(map(abs, self.errors)))

    def predict(self, spec: ModelSpec) -> Estimate | None:
        """Estimate the latency of a model, or return None if it lies outside the measured ones."""
        if not is_inside(spec, self.specs):
            return None
        ms, deviation = self._estimate(spec, range(len(self.specs)))
        factor = math.exp(max(self._widening * deviation, self._noise_floor))
        return Estimate(ms, ms / factor, ms * factor)

    @cached_property
    def _widening(self) -> float:
        """Half width of the interval in posterior standard deviations, calibrated on `errors`.

        This is the quantile of Student's t for as many errors, but at least the largest standardised error.
        """
        scores = [error / deviation for error, (_, deviation) in zip(self.errors, self._leave_one_out, strict=True)]
        spread = math.sqrt(sum(score**2 for score in scores) / len(scores))
        return max(
            *map(abs, scores),
            _t_quantile(len(scores)) * spread * math.sqrt(1 + 1 / len(scores)),
        )

    @property
    def _noise_floor(self) -> float:
        """Half width of the interval from measurement noise alone, as a logarithm."""
        return _t_quantile(len(self.noises)) * max(median(self.noises), NOISE) * math.sqrt(1 + 1 / len(self.noises))

    @cached_property
    def _leave_one_out(self) -> tuple[tuple[float, float], ...]:
        """Prediction of each measured model from the others, as `_estimate` returns it."""
        indexes = range(len(self.specs))
        return tuple(self._estimate(self.specs[out], [index for index in indexes if index != out]) for out in indexes)

    def _estimate(self, spec: ModelSpec, indexes: Sequence[int]) -> tuple[float, float]:
        """Predict from some of the measurements; return the latency in ms and the deviation of its logarithm."""
        specs = [self.specs[index] for index in indexes]
        times = np.array([self.latencies[index] for index in indexes])
        noise = np.maximum([self.noises[index] for index in indexes], NOISE)
        rows, row = matrix(specs, self.precision), matrix([spec], self.precision)
        weights = _weights(rows, times, noise)
        log_residuals = np.log(times / (rows @ weights))
        solved = np.linalg.solve(_kernel(specs, specs) + np.diag(noise**2), log_residuals)
        ms = float((row @ weights)[0] * np.exp(_kernel([spec], specs) @ solved)[0])
        variance = _posterior_variance([spec], specs, self.precision, noise)[0] + np.median(noise) ** 2
        return ms, math.sqrt(variance)


def choose(specs: Sequence[ModelSpec], count: int) -> list[int]:
    """Choose the models of a grid to measure, so that the others can be predicted.

    The corners of the grid come first. Then the model is added, one at a time, that minimises the mean posterior
    variance over the grid (a greedy I-optimal design).

    Args:
        specs: Distinct models of the grid.
        count: Number of models to choose; a smaller grid is chosen as a whole.

    Returns:
        Ascending indexes into `specs`; deterministic.

    Raises:
        UsageError: `count` is too small to enclose the grid.
    """
    if count >= len(specs):
        return list(range(len(specs)))
    chosen = [index for index, spec in enumerate(specs) if not is_inside(spec, [*specs[:index], *specs[index + 1 :]])]
    minimum = max(MIN_MODELS, len(chosen))
    if count < minimum:
        raise UsageError(f"--measure {count} is too few to predict the other models; use --measure {minimum} or more")
    while len(chosen) < count:
        rest = set(range(len(specs))) - set(chosen)
        chosen.append(min(rest, key=lambda index: (_mean_variance(specs, [*chosen, index]), index)))
    return sorted(chosen)


def _mean_variance(specs: Sequence[ModelSpec], chosen: Sequence[int]) -> float:
    """Return the mean posterior variance over a grid after measuring the chosen models."""
    variance = _posterior_variance(specs, [specs[index] for index in chosen], "float32", np.full(len(chosen), NOISE))
    # Rounding makes ties independent of the order of summation.
    return round(float(variance.mean()), 9)


def is_inside(spec: ModelSpec, others: Sequence[ModelSpec]) -> bool:
    """Return whether a model lies in the convex hull of others of its family."""
    others = [other for other in others if other.family == spec.family]
    if not others:
        return False
    corners = np.array([_coordinates(other) for other in others], np.float64)
    point = np.array(_coordinates(spec), np.float64)
    # The last equation makes the weights sum to 1.
    system, target = np.vstack([(corners / point).T, np.ones(len(others))]), np.ones(point.size + 1)
    residual = system @ nonnegative(system, target) - target
    return bool(np.abs(residual).max() < 1e-6)


def _weights(rows: Array, times: Array, noise: Array) -> Array:
    """Fit the weights of the features to latencies by relative error; shape (features,)."""
    relative, target = rows / (times * noise)[:, None], 1 / noise
    scale = float(nonnegative(relative.sum(axis=1, keepdims=True), target)[0])
    prior = np.eye(len(PRIOR)) / PRIOR_WIDTH
    return scale * nonnegative(np.vstack([scale * relative, prior]), np.concatenate([target, prior.sum(axis=1)]))


def _posterior_variance(
    specs: Sequence[ModelSpec], measured: Sequence[ModelSpec], precision: str, noise: Array
) -> Array:
    """Return the variance of the logarithm of each latency, given the measured models; shape (specs,)."""
    shares, measured_shares = _shares(specs, precision), _shares(measured, precision)
    cross = _kernel(specs, measured) + PRIOR_WIDTH**2 * shares @ measured_shares.T
    covariance = _kernel(measured, measured) + PRIOR_WIDTH**2 * measured_shares @ measured_shares.T + np.diag(noise**2)
    prior = DEVIATION**2 + PRIOR_WIDTH**2 * (shares**2).sum(axis=1)
    posterior: Array = prior - np.einsum("ij,ji->i", cross, np.linalg.solve(covariance, cross.T))
    return np.maximum(posterior, 0)


def _shares(specs: Sequence[ModelSpec], precision: str) -> Array:
    """Return the prior share of each feature in the latency, shape (specs, features); rows sum to 1."""
    rows = matrix(specs, precision)
    shares: Array = rows / rows.sum(axis=1, keepdims=True)
    return shares


def _kernel(specs: Sequence[ModelSpec], others: Sequence[ModelSpec]) -> Array:
    """Return the prior covariance of the log residuals, shape (specs, others)."""
    distance = (_octaves(specs)[:, None] - _octaves(others)[None]) / LENGTH_SCALES
    covariance: Array = DEVIATION**2 * np.exp(-0.5 * (distance**2).sum(axis=-1))
    # Families have layers of different shapes, so their residuals are independent.
    covariance *= np.array([[spec.family == other.family for other in others] for spec in specs])
    return covariance


def _coordinates(spec: ModelSpec) -> tuple[float, ...]:
    return spec.alpha, spec.resolution, spec.classes, spec.channels


def _octaves(specs: Sequence[ModelSpec]) -> Array:
    return np.log2([[spec.alpha, spec.resolution] for spec in specs])


def _t_quantile(freedom: int) -> float:
    """Return the two-sided quantile of Student's t at `CONFIDENCE`."""
    return float(student_t(freedom, CONFIDENCE, absolute=True))
