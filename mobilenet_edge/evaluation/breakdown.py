"""Break accuracy down by class: recall, precision and confusions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.analysis.binomial import wilson
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.score import Score
from mobilenet_edge.records.answers import ClassScore, Confusion

# Entries of each list in a record, which bound its size whatever the number of classes.
MAX_ENTRIES: Final = 200
# Decimals of recall, precision and their bounds.
_DIGITS: Final = 4


def by_class(score: Score) -> dict[str, Any]:
    """Return the fields of an `Evaluation` about classes: none for features, no confusions for several labels."""
    if score.truth is None:
        return {}
    names = score.names
    truth = score.truth[score.readable]
    if score.head is Head.labels:
        answers = score.outputs[score.readable] > score.threshold
        return _classes(names, *((truth & answers).sum(axis=0), truth.sum(axis=0), answers.sum(axis=0)))
    truth, given = truth + score.shift, score.first[score.readable] + score.shift
    counts = (np.bincount(values, minlength=len(names)) for values in (truth[truth == given], truth, given))
    return {**_classes(names, *counts), **_confusions(truth[truth != given], given[truth != given], names)}


def _confusions(truth: NDArray[Any], given: NDArray[Any], names: Sequence[str]) -> dict[str, Any]:
    cells = Counter(zip(truth.tolist(), given.tolist(), strict=True))
    largest = sorted(cells.items(), key=lambda cell: (-cell[1], cell[0]))[:MAX_ENTRIES]
    return {
        "confusions": tuple(Confusion(truth=names[one], answer=names[other], n=n) for (one, other), n in largest),
        "confusion_count": len(cells),
    }


def _classes(
    names: Sequence[str], right: NDArray[Any], present: NDArray[Any], answered: NDArray[Any]
) -> dict[str, Any]:
    used = np.flatnonzero(present + answered)
    errors = present[used] + answered[used] - 2 * right[used]
    chosen = np.sort(used[np.argsort(-errors, kind="stable")[:MAX_ENTRIES]]).tolist()
    scores = [_class(names[index], int(present[index]), int(answered[index]), int(right[index])) for index in chosen]
    return {"classes": tuple(scores), "class_count": len(used)}


def _class(name: str, n: int, answered: int, right: int) -> ClassScore:
    recall, recall_interval = _share(right, n)
    precision, precision_interval = _share(right, answered)
    return ClassScore(
        name=name, n=n, answered=answered, right=right,
        recall=recall, recall_interval=recall_interval, precision=precision, precision_interval=precision_interval,
    )  # fmt: skip


def _share(right: int, n: int) -> tuple[float | None, tuple[float, float] | None]:
    if not n:
        return None, None
    low, high = wilson(right, n)
    return round(right / n, _DIGITS), (round(low, _DIGITS), round(high, _DIGITS))
