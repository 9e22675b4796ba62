"""From output arrays to figures: top-k, hits, agreement, signal-to-noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def top_k(outputs: NDArray[Any], k: int = 5) -> NDArray[np.intp]:
    """Give the indexes of the k greatest outputs of each row, greatest first.

    Args:
        outputs: (..., classes) logits or probabilities, of any real type. Integers need not be de-quantised: a grid
            keeps the order.
        k: At most the number of classes; more is cut to it.

    Returns:
        (..., min(k, classes)) indexes. Of equal outputs the lower index comes first, as with `argmax`: quantised
        outputs tie often, and an answer must not depend on how a library sorts. NaN comes last.
    """
    # Negating unsigned integers would wrap around; float64 holds every 32-bit integer and float exactly.
    order = np.argsort(-np.asarray(outputs, np.float64), axis=-1, kind="stable")
    return order[..., :k]


def hits(answers: NDArray[Any], truth: NDArray[Any]) -> int:
    """Count the rows of `answers` (n, k) that hold the right class of `truth` (n,)."""
    return int((answers == truth[:, None]).any(axis=1).sum())


def agreement(answers: NDArray[Any], reference: NDArray[Any]) -> float:
    """Give the share of rows of two (n, k) arrays of answers whose first answers are the same."""
    return float((answers[:, 0] == reference[:, 0]).mean())


def cosine(outputs: NDArray[Any], reference: NDArray[Any]) -> float:
    """Give the mean cosine of the rows of two (n, features) arrays; a row of zeros has a cosine of 1 with its like."""
    one, other = (np.asarray(each, np.float64).reshape(len(each), -1) for each in (outputs, reference))
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    same = (one == other).all(axis=1).astype(np.float64)
    cosines = np.divide((one * other).sum(axis=1), lengths, out=same, where=lengths > 0)
    return float(cosines.mean())


def snr_db(reference: NDArray[Any], other: NDArray[Any]) -> float:
    """Give the signal-to-noise ratio of `other` against `reference`, in dB over all elements.

    10·log10(Σ reference² / Σ (reference - other)²): infinite where they are equal, minus infinite where the reference
    is all zero and the other is not, NaN where either holds NaN. For logits, 20 dB is an error of a tenth of their
    size.
    """
    if np.shape(reference) != np.shape(other):
        raise ValueError(f"shapes differ: {np.shape(reference)} and {np.shape(other)}")
    signal = np.asarray(reference, np.float64)
    noise = float(np.square(signal - np.asarray(other, np.float64)).sum())
    power = float(np.square(signal).sum())
    if noise == 0:
        return math.inf
    return 10 * math.log10(power / noise) if power else -math.inf
