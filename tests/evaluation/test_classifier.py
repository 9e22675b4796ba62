from __future__ import annotations

import io
import math
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.pixel_options import PixelOptions
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.device import batches
from mobilenet_edge.device.runtimes import TensorInfo
from mobilenet_edge.evaluation.classifier import Classifier
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.process import Process
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.hosts.pipe import Pipe

RULE = Preprocess((8, 12))
IMAGENET = PixelOptions(pixels="imagenet").apply(RULE)  # another scale and offset for each channel
GREY = Preprocess((8, 12), "grey", scale=(1 / 127.5,), offset=(-1.0,))
RULES = (RULE, IMAGENET, replace(IMAGENET, colour="bgr"), GREY)
GRIDS = (("float32", None, None), ("float16", None, None), ("int8", 1 / 127.5, -1), ("uint8", 0.0186584, 114))


class Memory:
    """A pipe to nobody, which keeps what is written."""

    def __init__(self, taken: ImageInput) -> None:
        self.written = b""
        self._facts = {"runtime": "fake", "runtime_version": "1", "dtype": "float32", "shape": (1, 2)}
        self._input = vars(taken)

    def read_document(self) -> dict[str, object]:
        return {**self._facts, "input": self._input}

    def write(self, data: bytes) -> None:
        self.written += data


def given(taken: ImageInput, rule: Preprocess, *pictures: np.ndarray, under: Preprocess | None = None) -> list[bytes]:
    """What the session of a model is given for pictures."""
    memory = Memory(taken)
    process = Process(cast("Pipe", memory))
    Classifier(process, Head.logits, None, rule, taken, ()).ask(*pictures, rule=under)
    stream = io.BytesIO(memory.written)
    read = batches.read(TensorInfo("image", taken.shape, taken.dtype), stream)
    found = [tensor for made in read for tensor in made]
    assert all((each.shape, each.dtype) == (taken.shape, np.dtype(taken.dtype)) for each in found)
    return [each.tobytes() for each in found]


def shape(rule: Preprocess, channels_first: bool) -> tuple[int, ...]:
    height, width, channels = rule.shape
    return (1, channels, height, width) if channels_first else (1, height, width, channels)


@pytest.mark.parametrize("rule", RULES, ids=["usual", "imagenet", "bgr", "grey"])
@pytest.mark.parametrize("grid", GRIDS, ids=[grid[0] for grid in GRIDS])
@pytest.mark.parametrize("channels_first", [False, True])
def test_a_model_gets_bit_for_bit_what_scaling_and_filling_make(rule, grid, channels_first):
    taken = ImageInput("m", shape(rule, channels_first), *grid)
    noise = np.random.default_rng(1).integers(0, 256, (2, 30, 40, 3), np.uint8)
    pictures = [prepare.fit(Image.fromarray(each), rule) for each in noise]
    assert given(taken, rule, *pictures) == [taken.fill(prepare.scale(each, rule)).tobytes() for each in pictures]


def test_pictures_fitted_alike_serve_several_rules():
    taken = ImageInput("m", shape(RULE, False), "float32")
    assert RULE.fitting == IMAGENET.fitting != replace(RULE, crop=1.0).fitting
    image = Image.fromarray(np.random.default_rng(2).integers(0, 256, (30, 40, 3), np.uint8))
    fitted = prepare.fit(image, RULE.fitting)
    for rule in (RULE, IMAGENET):
        assert given(taken, RULE, fitted, under=rule) == [prepare.prepare(image, rule).tobytes()]


@pytest.mark.data
def test_photographs_reach_the_model_bit_for_bit(data):
    folder = data / "images"
    taken = ImageInput("m", (1, 128, 128, 3), "int8", 2 / 255, -1)
    rule = Preprocess((128, 128))
    decoded = [images.decode(folder / name) for name in images.spread(images.names(folder), 20)]
    wanted = [taken.fill(prepare.prepare(image, rule)).tobytes() for image in decoded]
    assert given(taken, rule, *(prepare.fit(image, rule) for image in decoded)) == wanted
    assert {len(each) for each in wanted} == {math.prod(taken.shape)}
