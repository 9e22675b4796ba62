"""Figures of models that give several labels to an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def accuracy(answers: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Give the share of decisions that are right, each image and label counting once, as Keras's BinaryAccuracy."""
    return float((answers == truth).mean())


def f1_micro(answers: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Give the F1 score of all decisions together: 2·hits / (given + right)."""
    return float(_f1(*(each.sum() for each in (answers & truth, answers, truth))))


def f1_macro(answers: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Give the mean F1 score of the labels; one that no image has and none is given has no score and is left out."""
    hits, given, right = (each.sum(axis=0) for each in (answers & truth, answers, truth))
    used = given + right > 0
    return float(_f1(hits[used], given[used], right[used]).mean()) if used.any() else 1.0


def mean_average_precision(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float | None:
    """Give the mean over the labels of the average precision: Σ (recall step · precision), equal scores together.

    Args:
        scores: (n, labels) real-valued.
        truth: (n, labels).

    Returns:
        None where no image has a label; labels that no image has are left out.
    """
    found = [_average_precision(*pair) for pair in zip(scores.T, truth.T, strict=True) if pair[1].any()]
    return float(np.mean(found)) if found else None


def _average_precision(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    # The last place of each group of equal scores: a threshold cannot divide it.
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    steps = np.diff(hits[ends], prepend=0)
    return float((steps * hits[ends] / (ends + 1)).sum() / hits[-1])


def _f1(hits: NDArray[np.intp], given: NDArray[np.intp], right: NDArray[np.intp]) -> NDArray[np.float64]:
    """1 where nothing was to be given and nothing was."""
    total = np.asarray(given + right, np.float64)
    scores: NDArray[np.float64] = np.divide(2.0 * hits, total, out=np.ones_like(total), where=total > 0)
    return scores
