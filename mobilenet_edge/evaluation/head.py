"""What a model's outputs mean, by its last operator: classes, one probability or logit, several labels, or features."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import prod
from typing import Any, Final

from numpy.typing import NDArray

from mobilenet_edge.evaluation import scores
from mobilenet_edge.formats import keras
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.contents import Contents

_SIGMOID: Final = frozenset(("LOGISTIC", "Sigmoid", "HardSigmoid", "sigmoid", "hard_sigmoid"))
_SOFTMAX: Final = frozenset(("SOFTMAX", "LOG_SOFTMAX", "Softmax", "LogSoftmax", "softmax", "log_softmax"))
_POOLS: Final = frozenset(
    (
        *("MEAN", "REDUCE_MAX", "AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_NORMALIZATION"),
        *("ReduceMean", "ReduceMax", "GlobalAveragePool", "GlobalMaxPool", "AveragePool", "MaxPool", "LpNormalization"),
        *("GlobalAveragePooling2D", "GlobalMaxPooling2D", "AveragePooling2D", "MaxPooling2D", "UnitNormalization"),
    )
)
# What changes neither the values nor their order.
_CARRIERS: Final = frozenset(
    (
        *("QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "CAST"),
        *("QuantizeLinear", "DequantizeLinear", "Reshape", "Squeeze", "Flatten", "Cast", "Identity", "Dropout"),
    )
)


class Head(StrEnum):
    """What outputs mean."""

    classes = "classes"  # a softmax: the greatest of one score a class
    logits = "logits"  # the same without a softmax, or of several labels
    probability = "probability"  # of the second of two classes
    logit = "logit"  # of the same: above 0 is above one half
    labels = "labels"  # a probability for each of several labels
    features = "features"  # a vector or a map that no classifier has read yet

    @property
    def threshold(self) -> float:
        """Above which a score says yes."""
        return 0.0 if self in (Head.logit, Head.logits) else 0.5

    @property
    def measure(self) -> str:
        """What `likeness` is."""
        if self is Head.features:
            return "cosine"
        return "same labels" if self is Head.labels else "same side" if self.binary else "same top-1"

    def answers(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Decide each image of (n, ...) real outputs: (n, 1) class, or (n, outputs) what is above the threshold."""
        flat = outputs.reshape(len(outputs), -1)
        return flat > self.threshold if self.binary or self is Head.labels else scores.top_k(flat, 1)

    def likeness(self, outputs: NDArray[Any], reference: NDArray[Any]) -> float:
        """Compare (n, ...) real outputs: the share of images answered alike, or the mean cosine of features."""
        if self is Head.features:
            return scores.cosine(outputs, reference)
        return float((self.answers(outputs) == self.answers(reference)).all(axis=1).mean())

    @property
    def binary(self) -> bool:
        """Whether one score tells two classes apart."""
        return self in (Head.probability, Head.logit)


def find(artifact: Artifact, shape: Sequence[int]) -> Head:
    """Say what the outputs of a model mean.

    Args:
        artifact: Its file.
        shape: Of its output for one image, batch included.
    """
    closing = keras.closing(artifact.data) if artifact.format == "keras" else _closing(artifact.contents)
    return of(closing, shape)


def of(closing: str, shape: Sequence[int]) -> Head:
    """Say what outputs of some shape mean whose last operator is `closing`, in the words of any format."""
    size = prod(shape)
    if size != max(shape, default=0):
        return Head.features
    if closing in _SIGMOID:
        return Head.probability if size == 1 else Head.labels
    if size == 1:
        return Head.logit
    if closing in _POOLS:
        return Head.features
    return Head.classes if closing in _SOFTMAX else Head.logits


def _closing(contents: Contents) -> str:
    makers = {name: operator for operator in contents.operators for name in operator.outputs}
    operator = makers.get(contents.outputs[0]) if contents.outputs else None
    # A file may lie about its order: no chain is longer than the list.
    for _ in contents.operators:
        if operator is None or operator.kind not in _CARRIERS:
            break
        operator = makers.get(operator.inputs[0]) if operator.inputs else None
    return "" if operator is None else operator.kind
