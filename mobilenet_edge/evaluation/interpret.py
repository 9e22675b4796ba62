"""Give the outputs for one image their names and probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data import labels as classes
from mobilenet_edge.data.labels import Labels
from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation.classifier import Answer
from mobilenet_edge.evaluation.head import Head


def names(labels: Labels | None, head: Head, shape: Sequence[int], model: str) -> tuple[str | None, ...]:
    """Return the name of each output, two for a single score; None where the model has no labels.

    Raises:
        InputError: The labels are of another number of classes, or the outputs are features.
    """
    outputs = prod(shape)
    if head is Head.features and not (labels and outputs == max(shape) == len(labels.lines)):
        raise InputError(f"{model} gives {outputs} features of a picture, not classes; give a classifier")
    if labels is None:
        return (None,) * classes.count(outputs)
    return classes.fit(outputs, labels, model).lines


def interpret(answer: Answer, head: Head, names: Sequence[str | None]) -> tuple[Mapping[str, Any], ...]:
    """Name the best outputs.

    Args:
        answer: The best outputs, and all of them as real numbers.
        head: What the outputs mean. Logits become probabilities by softmax, a single logit by the sigmoid.
        names: As `names` returns them.

    Returns:
        For each of the best: index, label and probability; of several labels also whether it is above one half.
    """
    if answer.outputs is None:
        raise ValueError("the outputs were not asked for")
    outputs = answer.outputs.astype(np.float64).reshape(-1)
    if head.binary:
        second = float(outputs[0]) if head is Head.probability else float(_sigmoid(outputs)[0])
        both = np.array([1 - second, second])
        # As `Score.count`: the second class lies above the threshold, not on it.
        order = [1, 0] if outputs[0] > head.threshold else [0, 1]
        return tuple(_entry(index, both, names) for index in order)
    shares = _softmax(outputs) if head in (Head.logits, Head.features) else outputs
    entries = [_entry(int(index), shares, names) for index in answer.best]
    if head is Head.labels:
        return tuple({**entry, "yes": bool(outputs[entry["index"]] > head.threshold)} for entry in entries)
    return tuple(entries)


def _entry(index: int, probabilities: NDArray[np.float64], names: Sequence[str | None]) -> dict[str, Any]:
    return {"index": index, "label": names[index], "probability": float(probabilities[index])}


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    # tanh does not overflow, as exp would far below zero.
    return np.asarray((1 + np.tanh(logits / 2)) / 2)
