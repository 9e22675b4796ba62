"""A linear classifier on features: softmax regression, trained to the point where validation is best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.graph.run import softmax

Array = NDArray[np.float32]

# Strengths of weight decay that are tried; the features are scaled to unit variance, so that these are natural units.
DECAYS: Final = (1e-3, 1e-2, 1e-1)
STEPS: Final = 300
EVERY: Final = 10
RATE: Final = 0.03
SMOOTHING: Final = 0.1
# Elements of a block of features; a block is standardised anew at each step where there are several.
BLOCK: Final = 1 << 24


@dataclass(frozen=True, eq=False)
class Head:
    """Weights of the classifier: logits = features @ kernel + bias.

    Attributes:
        kernel: float32 (features, classes).
        bias: float32 (classes,).
    """

    kernel: Array
    bias: Array

    def logits(self, features: Array) -> Array:
        """Logits (..., classes) of features (..., width)."""
        return np.asarray(features @ self.kernel + self.bias, np.float32)


@dataclass(frozen=True)
class Point:
    """The head after some steps: loss on the training features, loss and accuracy on the validation features."""

    step: int
    loss: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True, eq=False)
class Examples:
    """Features and what they should give.

    Attributes:
        features: float32 (n, views, width).
        targets: float32 (n, views, classes), each a distribution over the classes.
        weights: float32 (n,), of each picture in the loss.
    """

    features: Array
    targets: Array
    weights: Array


def one_hot(labels: NDArray[np.intp], classes: int, views: int, smoothing: float = SMOOTHING) -> Array:
    """Targets (n, views, classes) of labels (n,), smoothed (arXiv:1512.00567, section 7)."""
    hot = np.eye(classes, dtype=np.float32)[labels] * (1 - smoothing) + smoothing / classes
    return np.repeat(hot[:, None].astype(np.float32), views, axis=1)


@dataclass(frozen=True)
class Fit:
    """A trained head.

    Attributes:
        head: Trained on the training pictures alone.
        complete: Trained with the same settings on the validation pictures too; better, but no longer to be judged
            by these.
        curve: Of the chosen weight decay, for `head`.
    """

    head: Head
    complete: Head
    curve: list[Point]


def fit(train: Examples, validation: Examples) -> Fit:
    """Train a head; weight decay and number of steps are those with the smallest validation loss.

    Args:
        train: Any number of views for each picture.
        validation: One view for each picture.
    """
    curves = {decay: _descend([train], decay, validation)[1] for decay in DECAYS}
    decay = min(DECAYS, key=lambda decay: min(point.validation_loss for point in curves[decay]))
    steps = min(curves[decay], key=lambda point: point.validation_loss).step
    head, complete = (_descend(sets, decay, None, steps)[0] for sets in ([train], [train, validation]))
    return Fit(head, complete, curves[decay])


def _descend(
    sets: Sequence[Examples], decay: float, validation: Examples | None, steps: int = STEPS
) -> tuple[Head, list[Point]]:
    """Minimise the cross-entropy with Adam (arXiv:1412.6980) on all examples at once, from zero."""
    from threadpoolctl import threadpool_limits

    # More threads than one wait for each other: the products are small.
    with threadpool_limits(1, "blas"):
        return _adam(_Rows(sets), decay, validation, steps)


class _Rows:
    """The views of sets of examples, a row each: standardised features and a one, targets, and weights whose sum is 1.

    A picture counts the same however many views it has.

    Attributes:
        mean: float32 (features,).
        deviation: float32 (features,).
    """

    def __init__(self, sets: Sequence[Examples]) -> None:
        total = sum(float(part.weights.sum()) for part in sets)
        self._parts = [
            (
                part.features.reshape(-1, part.features.shape[-1]),
                part.targets.reshape(-1, part.targets.shape[-1]),
                np.repeat(part.weights / total / part.features.shape[1], part.features.shape[1]).astype(np.float32),
            )
            for part in sets
        ]
        self._moments()
        blocks = sum(1 for _ in self._slices())
        self._kept = list(self._standardised()) if blocks == len(self._parts) else None

    def __iter__(self) -> Iterator[tuple[Array, Array, Array]]:
        return iter(self._kept) if self._kept is not None else self._standardised()

    def _slices(self) -> Iterator[tuple[Array, Array, Array]]:
        for features, targets, weights in self._parts:
            step = max(1, BLOCK // features.shape[1])
            for start in range(0, len(features), step):
                block = slice(start, start + step)
                yield np.asarray(features[block]), targets[block], weights[block]

    def _standardised(self) -> Iterator[tuple[Array, Array, Array]]:
        for features, targets, weights in self._slices():
            ones = np.ones((len(features), 1), np.float32)
            yield np.concatenate([(features - self.mean) / self.deviation, ones], axis=1), targets, weights

    def _moments(self) -> None:
        n = sum(len(features) for features, _, _ in self._parts)
        mean = sum(features.sum(axis=0, dtype=np.float64) for features, _, _ in self._slices()) / n
        squares = sum(((features - mean) ** 2).sum(axis=0) for features, _, _ in self._slices())
        self.mean = np.asarray(mean, np.float32)
        self.deviation = np.asarray(np.sqrt(squares / n) + 1e-6, np.float32)


def _adam(rows: _Rows, decay: float, validation: Examples | None, steps: int) -> tuple[Head, list[Point]]:
    classes = next(iter(rows))[1].shape[1]
    weight = np.zeros((len(rows.mean) + 1, classes), np.float32)
    first: Array = np.zeros_like(weight)
    second: Array = np.zeros_like(weight)
    # Of the bias none: it only follows how often a class occurs.
    shrink = np.full((len(weight), 1), decay, np.float32)
    shrink[-1] = 0
    curve = []
    for step in range(1, steps + 1):
        gradient, loss = shrink * weight, 0.0
        for x, targets, weights in rows:
            probabilities = softmax(x @ weight)
            gradient += x.T @ ((probabilities - targets) * weights[:, None])
            loss += float(weights @ _losses(probabilities, targets))
        first = np.asarray(0.9 * first + 0.1 * gradient, np.float32)
        second = np.asarray(0.999 * second + 0.001 * gradient**2, np.float32)
        update = first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        weight -= np.float32(RATE) * update
        if validation is not None and (step % EVERY == 0 or step == steps):
            curve.append(_judge(step, _head(weight, rows.mean, rows.deviation), loss, validation))
    return _head(weight, rows.mean, rows.deviation), curve


def _head(weight: Array, mean: Array, deviation: Array) -> Head:
    kernel = weight[:-1] / deviation[:, None]
    return Head(kernel.astype(np.float32), (weight[-1] - mean @ kernel).astype(np.float32))


def _judge(step: int, head: Head, loss: float, validation: Examples) -> Point:
    probabilities = softmax(head.logits(validation.features[:, 0]))
    targets = validation.targets[:, 0]
    right = probabilities.argmax(axis=1) == targets.argmax(axis=1)
    return Point(step, loss, float(_losses(probabilities, targets).mean()), float(right.mean()))


def _losses(probabilities: Array, targets: Array) -> Array:
    return np.asarray(-(targets * np.log(probabilities + 1e-12)).sum(axis=1), np.float32)
