"""Measure how far the probabilities of a classifier are from the shares of right answers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

BINS: Final = 15


def calibration_error(confidence: NDArray[Any], right: NDArray[np.bool_], bins: int = BINS) -> float:
    """Compute the expected calibration error, ECE (Guo et al., arXiv:1706.04599, equation 3).

    The answers are sorted into bins of equal width by their confidence. The error is the mean over the answers of
    |share of right answers - mean confidence| of their bin.

    Args:
        confidence: (n,) probability of each answer, from 0 to 1.
        right: (n,) whether it is right.
        bins: Number of bins.

    Returns:
        A number from 0 to 1. With few answers it is above 0 even for perfect probabilities.
    """
    # A bin includes its upper end, as in the paper: (0, 1/15], ...
    places = np.clip(np.ceil(np.asarray(confidence, np.float64) * bins).astype(np.intp) - 1, 0, bins - 1)
    gaps = np.bincount(places, weights=right.astype(np.float64) - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(right))
