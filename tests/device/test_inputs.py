from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.device.faults import InvalidModel, RequestError
from mobilenet_edge.device.inputs import describe, images, noise, rotate, rotate_images
from mobilenet_edge.device.runtimes import TensorInfo

IMAGE = (1, 32, 32, 3)


def one(dtype: str, seed: int = 0) -> np.ndarray:
    return noise([TensorInfo("x", IMAGE, dtype)], seed=seed, count=1)[0][0]


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
    tensors = [TensorInfo("image", IMAGE, "uint8"), TensorInfo("mask", (1, 4), "float32")]
    sets = noise(tensors, seed=0, count=3)
    assert [[values.shape for values in each] for each in sets] == [[IMAGE, (1, 4)]] * 3
    assert (sets[0][0] != sets[1][0]).any()


def test_a_scalar_input_is_filled_too():
    assert noise([TensorInfo("x", (), "int64")], seed=0, count=1)[0][0].shape == ()


def test_a_type_no_image_has_is_refused():
    with pytest.raises(InvalidModel, match="'x' has type bool"):
        noise([TensorInfo("x", IMAGE, "bool")], seed=0, count=1)


PICTURE = TensorInfo("x", (1, 2, 2, 3), "uint8")


def save(path: Path, array: Any, **options: Any) -> Path:
    np.save(path, array, **options)
    return path


def stack(count: int = 3) -> np.ndarray:
    """Images of 12 values each: 0 to 11, 12 to 23, …"""
    return np.arange(count * 12, dtype=np.uint8).reshape(count, 1, 2, 2, 3)


def test_images_come_from_the_file(tmp_path: Path):
    found = images(save(tmp_path / "images.npy", stack()), [PICTURE])
    np.testing.assert_array_equal(found, stack())
    assert not isinstance(found, np.memmap)


def test_order_of_the_axes_in_the_file_does_not_matter(tmp_path: Path):
    found = images(save(tmp_path / "images.npy", np.asfortranarray(stack())), [PICTURE])
    np.testing.assert_array_equal(found, stack())
    assert found.flags.c_contiguous


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            stack()[:, 0],
            r"holds uint8 of shape \(3, 2, 2, 3\), .* uint8 of shape \(count, 1, 2, 2, 3\)",
        ),
        (stack()[0], r"of shape \(1, 2, 2, 3\), but the model takes"),
        (stack().astype(np.int8), "holds int8"),
        (stack().astype(">u2"), "holds >u2"),
        (stack()[:0], "images.npy "),
        (np.array([{}], dtype=object), "is not an .npy file of images"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(tmp_path: Path, array: np.ndarray, message: str):
    with pytest.raises(RequestError, match=message) as raised:
        images(save(tmp_path / "images.npy", array), [PICTURE])
    assert "\n" not in str(raised.value)


def npy() -> bytes:
    file = io.BytesIO()
    np.save(file, stack())
    return file.getvalue()


@pytest.mark.parametrize(
    "content", [b"", b"no array", b"PK\x03\x04", npy()[:-1], npy()[:20], npy().replace(b"(3,", b"(9,")]
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "images.npy"
    path.write_bytes(content)
    with pytest.raises(RequestError, match=r"^images\.npy "):
        images(path, [PICTURE])


def test_an_archive_of_arrays_is_refused(tmp_path: Path):
    np.savez(tmp_path / "images.npz", a=stack())
    with pytest.raises(RequestError, match=r"^images\.npz is not an \.npy file"):
        images(tmp_path / "images.npz", [PICTURE])


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(RequestError, match=r"^images\.npy cannot be read: No such file"):
        images(tmp_path / "images.npy", [PICTURE])


def test_images_feed_one_input_only(tmp_path: Path):
    with pytest.raises(RequestError, match="with one input, and this has 2"):
        images(save(tmp_path / "images.npy", stack()), [PICTURE, PICTURE])


def test_sets_take_turns():
    turn = rotate([["a"], ["b"]])
    assert [turn() for _ in range(5)] == [["a"], ["b"], ["a"], ["b"], ["a"]]


def test_images_take_turns_in_one_place():
    turn = rotate_images(stack())
    fed = [turn()[0] for _ in range(4)]
    assert len({each.ctypes.data for each in fed}) == 1
    np.testing.assert_array_equal(fed[0], stack()[0])  # the fourth turn is the first image's again
    np.testing.assert_array_equal(turn()[0], stack()[1])


def test_what_was_fed_is_said():
    assert describe(stack()) == "3 real images, rotated"
    assert describe(stack(1)) == "1 real image, again and again"
    assert describe(None).startswith("seeded noise")
