"""Compare the answers of two models on the same images: what changed, for better or worse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.analysis.paired import Paired
from mobilenet_edge.evaluation.score import Score
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.records.answers import ClassChange, Comparison, PictureChange

MAX_PICTURES: Final = 50
MAX_CLASSES: Final = 100


def compare(score: Score, other: Score, against: Artifact, images: Sequence[str]) -> Comparison | None:
    """Compare a model's answers with those of another.

    Args:
        score: Answers of the model.
        other: Answers of the model it is compared with.
        against: File of that model.
        images: Names of the images.

    Returns:
        None if the two have no classes, or count them differently.
    """
    if score.truth is None or other.truth is None or not np.array_equal(score.truth, other.truth):
        return None
    places = np.flatnonzero(score.readable & other.readable)
    effects = score.correct()[places].astype(np.int8) - other.correct()[places]
    changed = ~score.same(other)[places]
    pair = Paired(len(places), int((effects > 0).sum()), int((effects < 0).sum()))
    return Comparison(
        against=str(against.path), sha256=against.sha256, n=pair.n, changed=int(changed.sum()),
        gained=pair.gained, lost=pair.lost, difference=pair.difference, interval=pair.interval,
        p_value=pair.p_value, shown=pair.shown, needed=pair.needed,
        classes=_by_class(score, places, effects),
        pictures=_pictures(score, other, places[changed], effects[changed], images),
    )  # fmt: skip


def _by_class(score: Score, places: NDArray[np.intp], effects: NDArray[np.int8]) -> tuple[ClassChange, ...]:
    """Count the gained and the lost of each class, those with the most first."""
    truth = np.asarray(score.truth)
    gained, lost = (Counter(score.name(truth[place]) for place in places[effects == effect]) for effect in (1, -1))
    names = sorted(gained | lost, key=lambda name: (-gained[name] - lost[name], name))
    return tuple(ClassChange(name=name, gained=gained[name], lost=lost[name]) for name in names[:MAX_CLASSES])


def _pictures(
    score: Score, other: Score, places: NDArray[np.intp], effects: NDArray[np.int8], images: Sequence[str]
) -> tuple[PictureChange, ...]:
    """List images with another answer: those lost, those gained, then those that stay wrong."""
    order = np.argsort(np.choose(effects + 1, (0, 2, 1)), kind="stable")[:MAX_PICTURES]
    truth, before, after = np.asarray(score.truth), other.answers(), score.answers()
    return tuple(
        PictureChange(
            picture=images[places[index]],
            truth=score.name(truth[places[index]]),
            before=other.name(before[places[index]]),
            after=score.name(after[places[index]]),
            effect=int(effects[index]),
        )
        for index in order.tolist()
    )
