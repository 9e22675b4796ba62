"""Metadata that says something else than the model, and dimensions that no memory holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

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
    ("about", "says"),
    [
        (replace(ABOUT, precision="float32"), "says float32, but most of its weights are int8"),
        (replace(ABOUT, precision="dynamic"), "says dynamic, but its activations are integers"),
        (
            replace(ABOUT, preprocess=Preprocess((64, 64))),
            r"images of 64 pixels, but its input is \[1, 32, 32, 3\]",
        ),
        (replace(ABOUT, classes=11), r"says 11 classes, but its output is \[1, 10\]"),
        (replace(ABOUT, labels=("a", "b")), "says 10 classes and names 2"),
        (replace(ABOUT, io="uint8"), "says uint8 at its ends, but its input is int8"),
        (replace(ABOUT, input=Quantisation(0.25, 3)), "scale 0.25 and zero point 3 at its input"),
        (replace(ABOUT, output=Quantisation(0.5, 4)), "zero point 4 at its output"),
    ],
)
def test_a_lie_is_named_and_refused(about, says):
    with pytest.raises(InputError, match=says) as caught:
        contradictions.refuse(made(about))
    assert str(caught.value).startswith("x.tflite contradicts itself: ")
    assert "\n" not in str(caught.value)


def test_a_background_class_is_no_lie():
    assert contradictions.find(made(replace(ABOUT, labels=tuple("abcdefghi")))) == ()


@pytest.mark.parametrize("shape", [(1, 91_288, 91_288, 3), ((1 << 31) - 1,) * 4, (-1, 1 << 20, 1 << 20)])
def test_dimensions_that_no_memory_holds_are_refused_of_any_file(shape):
    # 1 * 91,288 * 91,288 * 3 floats are 100 GB; an open side counts as one.
    with pytest.raises(InputError, match="bytes by its dimensions"):
        contradictions.refuse(made(None, Tensor("large", shape, "float32")))
