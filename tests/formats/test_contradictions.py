"""Metadata that says something else than the model, and dimensions that no memory holds."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import contradictions
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.contents import Contents, Tensor
from mobilenet_edge.formats.metadata import Metadata, Quantisation, Weights

GRID = Quantisation(0.5, 3)
ABOUT = Metadata(
    "x", "int8", 10, 1, 1, Preprocess((32, 32)), Weights("random"), io="int8", input=GRID, output=GRID,
)  # fmt: skip
IMAGE = Tensor("image", (1, 32, 32, 3), "int8", (0.5,), (3,))
KERNEL = Tensor("kernel", (8, 1, 1, 4), "int8", constant_bytes=32)
SCORES = Tensor("scores", (1, 10), "int8", (0.5,), (3,))


def made(about: Metadata | None = ABOUT, *tensors: Tensor) -> Artifact:
    held = {each.name: each for each in (IMAGE, KERNEL, SCORES, *tensors)}
    return Artifact(Path("x.tflite"), "tflite", b"", about, Contents(held, (), ("image",), ("scores",), {}))


def test_a_sound_file_has_none():
    assert contradictions.find(made()) == ()
    assert contradictions.find(made(None)) == ()
    contradictions.refuse(made())


@pytest.mark.parametrize(
    ("about", "code", "values"),
    [
        (replace(ABOUT, precision="float32"), "weights-type", {"metadata": "float32", "file": "int8"}),
        (replace(ABOUT, precision="dynamic"), "activations-type", {"metadata": "dynamic", "file": "integers"}),
        (replace(ABOUT, preprocess=Preprocess((64, 64))), "input-size", {"height": 64, "shape": (1, 32, 32, 3)}),
        (replace(ABOUT, classes=11), "output-size", {"classes": 11, "shape": (1, 10)}),
        (replace(ABOUT, labels=("a", "b")), "labels-count", {"classes": 10, "labels": 2}),
        (replace(ABOUT, io="uint8"), "io-type", {"metadata": "uint8", "end": "input", "file": "int8"}),
        (replace(ABOUT, input=Quantisation(0.25, 3)), "io-scale", {"end": "input", "scale": 0.25, "zero_point": 3}),
        (replace(ABOUT, output=Quantisation(0.5, 4)), "io-scale", {"end": "output", "scale": 0.5, "zero_point": 4}),
    ],
)
def test_a_contradiction_is_named_and_refused(about, code, values):
    artifact = made(about)
    first = contradictions.find(artifact)[0]
    assert (first.code, {**first.values, **values}) == (code, first.values)
    with pytest.raises(InputError, match=re.escape(sentence(first))) as caught:
        contradictions.refuse(artifact)
    assert str(caught.value).startswith("x.tflite contradicts itself: ")
    assert "\n" not in str(caught.value)


def test_a_background_class_is_no_lie():
    assert contradictions.find(made(replace(ABOUT, labels=tuple("abcdefghi")))) == ()


@pytest.mark.parametrize("shape", [(1, 91_288, 91_288, 3), ((1 << 31) - 1,) * 4, (-1, 1 << 20, 1 << 20)])
def test_dimensions_that_no_memory_holds_are_refused_of_any_file(shape):
    # 1 * 91,288 * 91,288 * 3 floats are 100 GB; an open side counts as one.
    with pytest.raises(InputError, match="bytes by its shape"):
        contradictions.refuse(made(None, Tensor("large", shape, "float32")))
