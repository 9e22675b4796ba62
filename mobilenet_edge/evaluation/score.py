"""What a model said of the images, counted against what is right."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.analysis.binomial import wilson
from mobilenet_edge.analysis.reliability import calibration_error
from mobilenet_edge.data import labels as classes
from mobilenet_edge.data.labels import Labels
from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation import multilabel, scores
from mobilenet_edge.evaluation.head import Head

_ROUNDING: Final = 1e-5


@dataclass
class Score:
    """The answers of one model.

    Attributes:
        facts: What runs it and how, as `model_pool.ModelPool.facts` says.
        head: What its outputs mean.
        shift: How many of its outputs lie before the one of class 0.
        threshold: Above which an output says yes.
        truth: (n,) right class of each chosen image, (n, outputs) whether it has each label, or None for features.
        readable: (n,) which of the chosen images could be read.
        names: Name of each class, by output; empty for features.
        first: (n,) class index of the first answer for each readable image; -1 is a background class.
        outputs: (n, outputs) of several labels and of features, else (n, 0).
        confidence: (n,) probability of each first answer; NaN where the outputs are not probabilities.
        top1: How many of the first answers are right.
        top5: How many of the first five hold the right one.
    """

    facts: dict[str, Any]
    head: Head
    shift: int
    threshold: float
    truth: NDArray[Any] | None
    readable: NDArray[np.bool_]
    names: tuple[str, ...] = ()
    first: NDArray[np.int32] = field(init=False)
    outputs: NDArray[np.float32] = field(init=False)
    confidence: NDArray[np.float32] = field(init=False)
    top1: int = 0
    top5: int = 0

    def __post_init__(self) -> None:
        size = prod(self.facts["shape"]) if self.head in (Head.labels, Head.features) else 0
        self.first = np.zeros(len(self.readable), np.int32)
        self.outputs = np.zeros((len(self.readable), size), np.float32)
        self.confidence = np.full(len(self.readable), np.nan, np.float32)

    def count(self, start: int, readable: NDArray[np.bool_], top: NDArray[np.intp], outputs: NDArray[Any]) -> None:
        """Count a chunk that begins at `start`: its (m,) images, (r, k) best and (r, outputs) of the readable.

        Of a head of classes, the outputs of the best are enough.
        """
        chunk = slice(start, start + len(readable))
        self.readable[chunk] = readable
        if self.outputs.size:
            self.outputs[chunk][readable] = outputs
        if self.truth is None:
            return
        truth = self.truth[chunk][readable]
        if self.head.binary:
            top = (outputs[:, :1] > self.threshold).astype(np.intp)
            top = np.concatenate([top, 1 - top], axis=1)
        if self.head is Head.classes and outputs.size:
            self.confidence[chunk][readable] = outputs.max(axis=1)
        elif self.head is Head.probability:
            self.confidence[chunk][readable] = np.maximum(outputs, 1 - outputs)[:, 0]
        answers = top - self.shift
        self.first[chunk][readable] = answers[:, 0]
        if truth.ndim == 1:
            self.top1 += scores.hits(answers[:, :1], truth)
            self.top5 += scores.hits(answers, truth)
        else:
            right = np.take_along_axis(truth, answers, axis=1)
            self.top1 += int(right[:, 0].sum())
            self.top5 += int(right.any(axis=1).sum())

    def figures(self) -> dict[str, Any]:
        """Return the fields of an `Evaluation` that follow from the answers alone."""
        n = int(self.readable.sum())
        figures: dict[str, Any] = {"n": n, "head": self.head.value}
        if self.truth is None:
            return figures
        figures |= {"top1": self.top1 / n, "top5": self.top5 / n, "interval": wilson(self.top1, n)}
        if self.head is Head.labels:
            outputs, truth = self.outputs[self.readable], self.truth[self.readable]
            answers = outputs > self.threshold
            figures |= {
                "accuracy": multilabel.accuracy(answers, truth),
                "f1_micro": multilabel.f1_micro(answers, truth),
                "f1_macro": multilabel.f1_macro(answers, truth),
                "mean_average_precision": multilabel.mean_average_precision(outputs.astype(np.float64), truth),
            }
        return figures | self._reliability()

    def _reliability(self) -> dict[str, Any]:
        """Compare the probabilities of the answers with the shares of right ones; of several labels, each decides."""
        right, confidence = self.correct()[self.readable], self.confidence[self.readable]
        if self.head is Head.labels and self.threshold == Head.labels.threshold:
            outputs, truth = self.outputs[self.readable], np.asarray(self.truth)[self.readable]
            confidence = np.maximum(outputs, 1 - outputs).ravel()
            right = ((outputs > self.threshold) == truth).ravel()
        # Written so that NaN, integers without a grid and logarithms fail; a softmax may exceed 1 by a rounding error.
        if not ((confidence >= 0) & (confidence <= 1 + _ROUNDING)).all():
            return {}
        confidence = np.minimum(confidence, 1)
        return {"ece": calibration_error(confidence, right), "confidence": float(confidence.mean(dtype=np.float64))}

    def answers(self) -> NDArray[Any]:
        """Return what the model says: (n,) classes, or (n, outputs) whether each label is given."""
        return self.outputs > self.threshold if self.head is Head.labels else self.first

    def correct(self) -> NDArray[np.bool_]:
        """Return whether each image is answered rightly, (n,); of several labels, all must be right."""
        return _alike(self.answers(), np.asarray(self.truth))

    def same(self, other: Score) -> NDArray[np.bool_]:
        """Return whether each image is answered as by another model of the same classes, (n,)."""
        return _alike(self.answers(), other.answers())

    def name(self, answer: NDArray[Any]) -> str:
        """Name a class, or the labels of (outputs,) marks; a dash stands for none."""
        if self.head is not Head.labels:
            return self.names[int(answer) + self.shift]
        return " | ".join(self.names[output] for output in np.flatnonzero(answer).tolist()) or "-"

    def likeness(self, other: Score) -> dict[str, float]:
        """Compare with a reference: {"cosine"} of features, else {"agreement"}, the share of images answered alike.

        Raises:
            InputError: The reference's outputs are of another meaning or number.
        """
        both = self.readable & other.readable
        if self.outputs.shape[1] != other.outputs.shape[1]:
            raise InputError(
                f"the outputs are {self.head} of shape {self.facts['shape']}, and the reference's {other.head} of "
                f"{other.facts['shape']}; give the float file of the same model with --reference"
            )
        if self.head is Head.features:
            return {"cosine": scores.cosine(self.outputs[both], other.outputs[both])}
        return {"agreement": float(self.same(other)[both].mean())}


def _alike(answers: NDArray[Any], others: NDArray[Any]) -> NDArray[np.bool_]:
    same = answers == others
    return np.asarray(same if same.ndim == 1 else same.all(axis=1), np.bool_)


def begin(facts: dict[str, Any], labels: Labels | None, truth: NDArray[Any] | None, count: int, model: str) -> Score:
    """Start the score of a model that has just been opened.

    Args:
        facts: As `model_pool.ModelPool.facts` says.
        labels: Its classes, None where neither the user nor the folders name any.
        truth: (count,) right classes or (count, labels) marks, by `labels`.
        count: Number of images.
        model: Its name, for messages.

    Raises:
        InputError: The outputs are not those of these classes.
    """
    head, outputs = Head(facts["head"]), prod(facts["shape"])
    if head is Head.features and truth is not None and _fits(outputs, labels, facts["shape"]):
        head = Head.logits  # an average of one map a class, as in SqueezeNet
    readable = np.zeros(count, np.bool_)
    if head is Head.features or labels is None or truth is None:
        return Score(facts, head, 0, 0.0, None, readable)
    shift = classes.shift(outputs, labels, model)
    names = classes.short_names(classes.fit(outputs, labels, model).lines)
    threshold = head.threshold
    if truth.ndim == 2 and head is Head.logits and (truth.sum(axis=1) != 1).any():
        head = Head.labels
    if head is Head.labels:
        return Score(facts, head, 0, threshold, _marks(truth, shift, outputs), readable, names)
    return Score(facts, head, shift, threshold, _single(truth, model), readable, names)


def _fits(outputs: int, labels: Labels | None, shape: list[int]) -> bool:
    return labels is not None and outputs == max(shape) and outputs == len(labels.lines)


def _marks(truth: NDArray[Any], shift: int, outputs: int) -> NDArray[np.bool_]:
    """Mark the outputs that should say yes: (n, outputs)."""
    marks = np.zeros((len(truth), outputs), np.bool_)
    if truth.ndim == 1:
        marks[np.arange(len(truth)), truth + shift] = True
    elif shift < 0:
        marks[:] = truth[:, -shift:]
    else:
        marks[:, shift:] = truth
    return marks


def _single(truth: NDArray[Any], model: str) -> NDArray[np.intp]:
    if truth.ndim == 1:
        return np.asarray(truth, np.intp)
    if (truth.sum(axis=1) != 1).any():
        raise InputError(
            f"{model} gives one class an image, but some images are listed with none or several labels; "
            "give one label each"
        )
    return np.asarray(truth.argmax(axis=1), np.intp)
