"""Least squares whose weights cannot be negative: nothing that a model does saves time."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
TOLERANCE: Final = 1e-10


def nonnegative(matrix: Array, target: Array) -> Array:
    """Find the weights w >= 0 that minimise |matrix w - target|.

    The active-set method of Lawson and Hanson, "Solving Least Squares Problems" (1974), chapter 23: it ends after
    finitely many steps, as each lowers the residual and there are finitely many sets.

    Args:
        matrix: Shape (equations, unknowns), of full column rank.
        target: Shape (equations,).

    Returns:
        The weights, shape (unknowns,).
    """
    weights = np.zeros(matrix.shape[1])
    free = np.zeros(matrix.shape[1], bool)
    scale = max(float(np.abs(matrix.T @ target).max(initial=0)), 1e-300)
    while not free.all():
        pull = np.where(free, -np.inf, matrix.T @ (target - matrix @ weights))
        best = int(pull.argmax())
        if pull[best] <= TOLERANCE * scale:
            break
        free[best] = True
        weights = _settle(matrix, target, weights, free)
        if not free[best]:  # its pull was rounding
            break
    return weights


def _settle(matrix: Array, target: Array, weights: Array, free: NDArray[np.bool_]) -> Array:
    """Solve for the free weights, holding those at 0 that would become negative; `free` loses them."""
    while True:
        solved = np.zeros_like(weights)
        solved[free] = np.linalg.lstsq(matrix[:, free], target, rcond=None)[0]
        below = free & (solved <= 0)
        if not below.any():
            return solved
        step = float((weights[below] / (weights[below] - solved[below])).min())
        weights = weights + step * (solved - weights)
        free &= weights > TOLERANCE * max(float(weights.max()), 1e-300)
        weights = np.where(free, weights, 0.0)
