"""Try the usual rules for pixels on labelled images: a wrong one shows in the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data import images
from mobilenet_edge.data.pixel_options import PixelOptions
from mobilenet_edge.data.pixels import NAMED
from mobilenet_edge.evaluation import scoring
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.score import Score
from mobilenet_edge.evaluation.scoring import Key, Sample, Subject
from mobilenet_edge.workers.pool import WorkerPool

IMAGES: Final = 64
# What nobody needs to be told: the user said it, or the model's own layers do.
_SURE: Final = frozenset(("stated", "built-in", "layer"))
# Images by which one rule must be ahead of another, in standard deviations of that number, and as a share.
_DEVIATIONS: Final = 3.0
_SHARE: Final = 0.1


@dataclass(frozen=True)
class Better:
    """A rule under which a model answers far more images rightly.

    Attributes:
        options: As the command line states it.
        top1: Share of right first answers under it.
        current: The same under the rule that was used, on the same images.
        n: Number of images.
    """

    options: PixelOptions
    top1: float
    current: float
    n: int

    def __str__(self) -> str:
        stated = " ".join(f"--{name} {value}" for name, value in self.options.to_dict().items())
        return f"with {stated} top-1 would be {self.top1:.2f} instead of {self.current:.2f} ({self.n} images)"


def find(
    subjects: Sequence[Subject], scored: Mapping[Key, Score], sample: Sample, threads: int, pool: WorkerPool
) -> dict[Path, Better]:
    """Find models that were probably fed the wrong pixels.

    Only classifiers whose pixels are neither stated nor the model's own are looked at, on at most 64 images.

    Args:
        subjects: The models.
        scored: Their scores.
        sample: The images.
        threads: Threads within one inference.
        pool: Who runs the models.

    Returns:
        The best other rule of each model that has a far better one.

    Raises:
        MnetError: As `scoring.score`.
    """
    doubtful = [each for each in subjects if _doubtful(scored[each.key])]
    if not doubtful:
        return {}
    places = np.array(images.spread(range(len(sample.chosen)), IMAGES), np.intp)
    few = Sample(sample.folder, sample.found, [sample.chosen[place] for place in places])
    others = [PixelOptions(pixels=name, colour=colour) for name in NAMED for colour in (None, "rgb", "bgr")]
    answers = scoring.first_answers(doubtful, few, threads, pool, others)
    found = {}
    for each in doubtful:
        score = scored[each.key]
        better = _better(score, answers[each.key] - score.shift, places, others)
        if better is not None:
            found[each.model.path] = better
    return found


def _doubtful(score: Score) -> bool:
    origin = score.facts["rule"]["origin"].get("pixels", "assumed")
    classes = score.head in (Head.classes, Head.logits) and score.truth is not None and score.truth.ndim == 1
    return classes and origin not in _SURE


def _better(
    score: Score, answers: NDArray[np.int32], places: NDArray[np.intp], others: Sequence[PixelOptions]
) -> Better | None:
    """Compare (images, rules) class indexes with what was answered for the same images."""
    readable = score.readable[places]
    places, answers = places[readable], answers[readable]
    truth = np.asarray(score.truth)[places]
    right, current = answers == truth[:, None], score.first[places] == truth
    best = int(right.sum(axis=0).argmax())
    gained, lost = (int(each.sum()) for each in (right[:, best] & ~current, ~right[:, best] & current))
    # Of images whose answers differ, each is as likely to be gained as lost where both rules are as good.
    if gained - lost <= max(_DEVIATIONS * (gained + lost) ** 0.5, _SHARE * len(truth)):
        return None
    return Better(others[best], float(right[:, best].mean()), float(current.mean()), len(truth))
