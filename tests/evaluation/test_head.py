"""What outputs mean, read off the last operator."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.evaluation import head
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.contents import Contents, Operator


@pytest.mark.parametrize(
    ("closing", "shape", "meaning"),
    [
        ("SOFTMAX", (1, 5), Head.classes),
        ("Softmax", (1, 2), Head.classes),
        ("FULLY_CONNECTED", (1, 5), Head.logits),
        ("Gemm", (1, 5), Head.logits),
        ("LOGISTIC", (1, 1), Head.probability),
        ("Sigmoid", (1, 1, 1, 1), Head.probability),
        ("sigmoid", (1, 8), Head.labels),
        ("Dense", (1, 1), Head.logit),
        ("CONV_2D", (1, 1, 1, 1), Head.logit),
        ("MEAN", (1, 256), Head.features),
        ("GlobalAveragePooling2D", (1, 256), Head.features),
        ("Conv", (1, 256, 3, 3), Head.features),
    ],
)
def test_the_last_operator_and_the_shape_decide(closing, shape, meaning):
    assert head.of(closing, shape) is meaning


def artifact(*operators: Operator) -> Artifact:
    contents = Contents({}, operators, ("in",), (operators[-1].outputs[0],), {})
    return Artifact(Path("m.onnx"), "onnx", b"", None, contents)


def test_what_only_carries_values_on_is_looked_through():
    chain = [
        Operator("Sigmoid", ("in",), ("a",)),
        Operator("QuantizeLinear", ("a",), ("b",)),
        Operator("DequantizeLinear", ("b",), ("c",)),
        Operator("Reshape", ("c", "shape"), ("d",)),
    ]
    assert head.find(artifact(*chain), (1, 1)) is Head.probability


def test_a_circle_in_a_damaged_file_ends():
    circle = artifact(Operator("Reshape", ("b",), ("a",)), Operator("Reshape", ("a",), ("b",)))
    assert head.find(circle, (1, 3)) is Head.logits


def keras(*layers: dict) -> Artifact:
    config = {"class_name": "Functional", "config": {"layers": layers}}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
    return Artifact(Path("m.keras"), "keras", file.getvalue(), None, Contents({}, (), (), (), {}))


@pytest.mark.parametrize(
    ("layers", "shape", "meaning"),
    [
        ([("Dense", {"activation": "sigmoid"})], (1, 1), Head.probability),
        ([("Dense", {"activation": "linear"})], (1, 1), Head.logit),
        ([("Dense", {}), ("Activation", {"activation": "softmax"})], (1, 3), Head.classes),
        ([("Dense", {}), ("Softmax", {})], (1, 3), Head.classes),
        ([("Conv2D", {"activation": "sigmoid"}), ("Flatten", {}), ("Dropout", {})], (1, 4), Head.labels),
        ([("ReLU", {}), ("GlobalAveragePooling2D", {})], (1, 256), Head.features),
    ],
)
def test_layers_of_keras_decide_likewise(layers, shape, meaning):
    named = [{"class_name": name, "config": config} for name, config in layers]
    assert head.find(keras(*named), shape) is meaning
    nested = {"class_name": "Functional", "config": {"layers": named}}
    assert head.find(keras({"class_name": "InputLayer", "config": {}}, nested), shape) is meaning


def test_likeness_is_counted_as_the_head_decides():
    one = np.array([[0.1], [0.7], [0.4]])
    other = np.array([[0.2], [0.6], [0.6]])
    assert Head.probability.likeness(one, other) == pytest.approx(2 / 3)
    assert Head.logit.likeness(one - 0.5, other - 0.5) == pytest.approx(2 / 3)
    sets = np.array([[0.9, 0.1], [0.9, 0.8]])
    assert Head.labels.likeness(sets, np.array([[0.6, 0.2], [0.9, 0.1]])) == 0.5
    assert Head.classes.likeness(sets, np.array([[0.6, 0.2], [0.1, 0.9]])) == 0.5
    assert Head.features.likeness(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[2.0, 0.0], [3.0, 0.0]])) == 0.5
