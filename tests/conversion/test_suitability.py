"""What is said of calibration pictures, on Keras's own weights and photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.conversion import creation, suitability
from mobilenet_edge.conversion.samples import Samples
from mobilenet_edge.data import prepare
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.model import read
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.quantise import synthetic

pytestmark = [pytest.mark.slow, pytest.mark.data]
SIDE = 128
RULE = Preprocess((SIDE, SIDE))


def load(data: Path, name: str, alpha: float, folder: Path) -> read.Model:
    return read.read(creation.create(ModelSpec(alpha, SIDE), weights=str(data / "weights" / name), out=folder).path)


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    return load(data, "mobilenet_2_5_224_tf.h5", 0.25, tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def pixels(data) -> np.ndarray:
    return prepare.load_folder(data / "images", RULE, 40).pixels


def codes(model: read.Model, images: np.ndarray, source: str = "images") -> dict[str, dict[str, float]]:
    found = suitability.remarks(model, Samples(np.asarray(images, np.float32), source), RULE)
    return {remark.code: dict(remark.values) for remark in found}


def scaled(pixels: np.ndarray) -> np.ndarray:
    return prepare.scale(pixels, RULE)


def test_photographs_are_enough_different_and_like_training(model, pixels):
    assert codes(model, scaled(pixels)) == {}


@pytest.mark.parametrize(
    "changed",
    [
        lambda pixels: 255 - pixels,
        lambda pixels: pixels[..., ::-1],
        lambda pixels: np.repeat(pixels.mean(-1, keepdims=True), 3, -1).astype(np.uint8),
    ],
    ids=["negatives", "colours swapped", "grey"],
)
def test_pictures_of_another_kind_are_not_condemned(model, pixels, changed):
    assert codes(model, scaled(changed(pixels))) == {}


def test_noise_and_wrong_pixels_are_unlike_training(model, pixels):
    random = np.random.default_rng(0)
    for images in (
        synthetic.images(32, (SIDE, SIDE, 3)),
        random.uniform(-1, 1, (32, SIDE, SIDE, 3)),
        pixels / 255,
        pixels.astype(np.float64),
    ):
        found = codes(model, images)
        assert found["unlike-training"]["divergence_nats"] > found["unlike-training"]["limit_nats"]


def test_few_and_copied_pictures_are_counted(model, pixels):
    assert codes(model, scaled(pixels[:4])) == {"few-calibration-images": {"count": 4, "enough": 30}}
    copies = codes(model, scaled(np.repeat(pixels[:2], 20, axis=0)))
    assert copies["alike-calibration-images"] == {"count": 40, "distinct": 2}


def test_nothing_is_said_of_synthetic_pictures(model):
    assert codes(model, synthetic.images(8, (SIDE, SIDE, 3)), "synthetic") == {}


def test_statistics_that_no_training_left_say_nothing(data, pixels, tmp_path):
    # Batch norms drawn at random and divided out of the kernels: data/README.md.
    recovered = load(data, "mobilenet_2_5_128_tf.h5", 0.25, tmp_path)
    assert suitability.unlikeness(recovered, scaled(pixels)) is None
    assert codes(recovered, synthetic.images(40, (SIDE, SIDE, 3))).keys() <= {"alike-calibration-images"}
