"""Fine-tuning that is kept as far as it helps, and is repeated with all pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data.dataset import Picture
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.model.build import build
from mobilenet_edge.model.layers import table
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.training import linear, tune
from mobilenet_edge.training.album import Album, Score

Array = NDArray[np.float32]

# How much of fine-tuning is kept: weights between those before (0) and after (1).
BLENDS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Tuner:
    """Fine-tuning from a trained head.

    Attributes:
        model: keras.Model, whose weights change.
        spec, rule, options, class_weights, teacher, state, advance: As for `recipe.train` and `tune.tune`.
    """

    model: Any
    spec: ModelSpec
    rule: Preprocess
    options: tune.Options
    class_weights: Sequence[float]
    teacher: tune.Teacher | None
    state: Path | None
    advance: Callable[[], None]

    def run(
        self, fit: linear.Fit, train: Sequence[Picture], validation: Sequence[Picture]
    ) -> tuple[tune.Tuning, float, Score]:
        """Fine-tune on the training pictures, choose how much of it is kept, and do the same on all pictures."""
        body = self.model.get_weights()
        before, after, tuning = self._tune(fit.head, train, validation, "train")
        album = Album(self.rule)
        scores = {}
        for blend in BLENDS:
            self.model.set_weights(_between(before, after, blend))
            scores[blend] = album.score(self.model, validation)
        best = min(BLENDS, key=lambda blend: scores[blend].loss)
        self.model.set_weights(body)
        if best:
            before, after, _ = self._tune(fit.complete, [*train, *validation], (), "all")
            self.model.set_weights(_between(before, after, best))
        else:
            set_head(self.model, self.spec, fit.complete)
        return tuning, best, scores[best]

    def _tune(
        self, head: linear.Head, pictures: Sequence[Picture], validation: Sequence[Picture], name: str
    ) -> tuple[list[Array], list[Array], tune.Tuning]:
        """Fine-tune from a head; the weights before and after."""
        set_head(self.model, self.spec, head)
        before = self.model.get_weights()
        tuning = tune.tune(
            *(self.model, pictures, validation, self.rule, self.options),
            class_weights=self.class_weights, teacher=self.teacher,
            state=self.state and self.state / name, advance=self.advance,
        )  # fmt: skip
        return before, self.model.get_weights(), tuning

    def rebuilt(self) -> Any:
        """Return the model with every layer trainable and without its optimiser, two thirds of the file otherwise."""
        model = build(self.spec, self.options.seed)
        model.set_weights(self.model.get_weights())
        return model


def set_head(model: Any, spec: ModelSpec, head: linear.Head) -> None:
    """Put a head into the classifier of a keras.Model."""
    classifier = table(spec)[-1]
    kernel = head.kernel if classifier.dense else head.kernel[None, None]
    model.get_layer(classifier.name).set_weights([kernel, head.bias])


def _between(before: Sequence[Array], after: Sequence[Array], blend: float) -> list[Array]:
    return [first + np.float32(blend) * (second - first) for first, second in zip(before, after, strict=True)]
