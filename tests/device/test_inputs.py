from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.device.faults import InvalidModel
from mobilenet_edge.device.inputs import noise
from mobilenet_edge.device.runtimes import Tensor

IMAGE = (1, 32, 32, 3)


def one(dtype: str, seed: int = 0) -> np.ndarray:
    return noise([Tensor("x", IMAGE, dtype)], seed=seed, count=1)[0][0]


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [("uint8", 0, 255), ("int8", -128, 127), ("int32", 0, 255), ("float32", -1, 1), ("float16", -1, 1)],
)
def test_noise_covers_the_whole_range(dtype: str, low: int, high: int):
    values = one(dtype)
    assert values.shape == IMAGE
    assert values.dtype == np.dtype(dtype)
    # 3072 draws of 256 values miss a given one with probability (255/256)^3072 = 6e-6; the seed is fixed besides.
    assert values.min() == low
    assert values.max() == high


def test_noise_is_spread_evenly():
    # The mean of 3072 bytes has a standard error of 73.9 / sqrt(3072) = 1.3; four of them are allowed.
    assert abs(one("uint8").mean() - 127.5) < 5.4


def test_a_seed_means_the_same_values_everywhere():
    # Drawn once on x86-64 with Python 3.11; the generator is specified (Mersenne Twister), so they hold on any machine.
    assert one("uint8").reshape(-1)[:4].tolist() == [205, 7, 44, 216]
    np.testing.assert_array_equal(one("int8"), one("uint8").view(np.int8))


def test_another_seed_means_other_values():
    assert (one("uint8", seed=0) != one("uint8", seed=1)).any()


def test_sets_differ_and_hold_every_input():
    tensors = [Tensor("image", IMAGE, "uint8"), Tensor("mask", (1, 4), "float32")]
    sets = noise(tensors, seed=0, count=3)
    assert [[values.shape for values in each] for each in sets] == [[IMAGE, (1, 4)]] * 3
    assert (sets[0][0] != sets[1][0]).any()


def test_a_scalar_input_is_filled_too():
    assert noise([Tensor("x", (), "int64")], seed=0, count=1)[0][0].shape == ()


def test_a_type_no_image_has_is_refused():
    with pytest.raises(InvalidModel, match="'x' is of type bool"):
        noise([Tensor("x", IMAGE, "bool")], seed=0, count=1)
