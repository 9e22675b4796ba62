"""Choose pictures whose answers show whether a bundle works elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.bundle.deployment import Deployment

COUNT: Final = 3
# Pictures that are tried.
TRIED: Final = 30
# Kernels of another CPU round sums in another order; an integer output moves in steps, of 1/256 as a rule, and the
# layers before it by steps of their own.
PROBABILITY_TOLERANCE: Final = {"float": 0.01, "integer": 0.05}


@dataclass(frozen=True)
class Example:
    """A picture and its answer.

    Attributes:
        path: The picture.
        label: Its best class, None where no label is above one half.
        index: Index of its best class or label.
        probability: Of that class.
        margin: How far the probability lies above that of the next class, or from one half for labels.
        means: Of each channel of the tensor.
    """

    path: Path
    label: str | None
    index: int
    probability: float
    margin: float
    means: tuple[float, ...]

    @classmethod
    def of(cls, path: Path, answers: Sequence[Mapping[str, Any]], tensor: NDArray[Any], model: Deployment) -> Example:
        """Describe a picture by its answers, as `interpret` gives them, and its tensor."""
        best, shares = answers[0], [answer["probability"] for answer in answers]
        yes = best.get("yes", True)
        several = "yes" in best
        margin = abs(shares[0] - 0.5) if several else shares[0] - (shares[1] if len(shares) > 1 else 0.0)
        means = tensor.astype(np.float64).mean(axis=model.axes)
        label = model.names[best["index"]] if yes else None
        return cls(path, label, best["index"], shares[0] if yes else 0.0, margin, tuple(means.tolist()))


def choose(examples: Iterable[Example]) -> list[Example]:
    """Choose the clearest examples, of different classes first: a near tie may be decided otherwise elsewhere."""
    ranked = sorted(examples, key=lambda example: -example.margin)
    first = {example.label: example for example in reversed(ranked)}
    leading = sorted(first.values(), key=lambda example: -example.margin)
    return [*leading, *(example for example in ranked if example not in leading)][:COUNT]


def document(model: Deployment, examples: Sequence[Example], pictures: Sequence[str]) -> dict[str, Any]:
    """Return what `test.py` reads; `pictures` are the names of the examples' files."""
    # One grey level, or one step of the grid: what decoders of JPEG may differ by is far less over a whole picture.
    level = max(map(abs, model.rule.scale)) / (model.input.scale or 1.0)
    return {
        "examples": [
            {"picture": picture, "label": each.label, "probability": each.probability, "means": list(each.means)}
            for each, picture in zip(examples, pictures, strict=True)
        ],
        "axes": list(model.axes),
        "mean_tolerance": level,
        "probability_tolerance": PROBABILITY_TOLERANCE["integer" if model.grid else "float"],
    }
