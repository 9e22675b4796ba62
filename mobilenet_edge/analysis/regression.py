"""Solve least squares with nonnegative weights; no work in a model takes negative time."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
TOLERANCE: Final = 1e-10


def nonnegative(matrix: Array, target: Array) -> Array:
    """Find the weights w >= 0 that minimise |matrix w - target|.

    Uses the active-set method of Lawson and Hanson, "Solving Least Squares Problems" (1974), chapter 23. It terminates
    because every step lowers the residual and the number of active sets is finite.

    Args:
        matrix: Shape (equations, unknowns), of full column rank.
        target: Shape (equations,).

    Returns:
        Weights, shape (unknowns,).
    """
    weights = np.zeros(matrix.shape[1])
    free = np.zeros(matrix.shape[1], bool)
    scale = max(float(np.abs(matrix.T @ target).max(initial=0)), 1e-300)
    while not free.all():
        gradient = np.where(free, -np.inf, matrix.T @ (target - matrix @ weights))
        best = int(gradient.argmax())
        if gradient[best] <= TOLERANCE * scale:
            break
        free[best] = True
        weights = _settle(matrix, target, weights, free)
        if not free[best]:  # its gradient was a rounding error
            break
    return weights


def _settle(matrix: Array, target: Array, weights: Array, free: NDArray[np.bool_]) -> Array:
    """Solve for the free weights; fix those at 0 that would become negative, and clear them in `free`."""
    while True:
        solved = np.zeros_like(weights)
        solved[free] = np.linalg.lstsq(matrix[:, free], target, rcond=None)[0]
        negative = free & (solved <= 0)
        if not negative.any():
            return solved
        step = float((weights[negative] / (weights[negative] - solved[negative])).min())
        weights = weights + step * (solved - weights)
        free &= weights > TOLERANCE * max(float(weights.max()), 1e-300)
        weights = np.where(free, weights, 0.0)
