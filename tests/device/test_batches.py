from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.device import batches
from mobilenet_edge.device.faults import InvalidModel
from mobilenet_edge.device.runtimes import TensorInfo

IMAGE = TensorInfo("image", (1, 2, 2, 3), "uint8", 0.5, 3)


class Sums:
    """A model whose two scores are the sum of its input and zero."""

    runtime, version = "fake", "1"

    def __init__(
        self, inputs: Sequence[TensorInfo] = (IMAGE,), outputs: int = 1, shape: tuple[int, ...] = (1, 2)
    ) -> None:
        self.inputs = tuple(inputs)
        self.outputs = tuple(TensorInfo(str(index), shape, "int8") for index in range(outputs))
        self._shape = shape
        self.seen: list[np.ndarray] = []

    def run(self, inputs: Sequence[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
        self.seen.append(inputs[0].copy())
        scores = np.zeros(self._shape, np.int8)
        scores.flat[:1] = int(inputs[0].sum())
        return [scores]


def test_facts_are_those_of_the_session_and_its_first_answer():
    facts = batches.describe(Sums(), "m.tflite")
    assert facts == {
        "runtime": "fake",
        "runtime_version": "1",
        "input": {"model": "m.tflite", "shape": (1, 2, 2, 3), "dtype": "uint8", "scale": 0.5, "zero_point": 3},
        "dtype": "int8",
        "shape": (1, 2),
        "scale": None,
        "zero_point": None,
    }


def test_model_is_tried_before_it_is_described():
    session = Sums()
    batches.describe(session, "m.tflite")
    assert [array.dtype for array in session.seen] == [np.uint8]


@pytest.mark.parametrize("shape", [(1, 2), (2,), (1, 1, 1, 2), (1, 2, 1, 1), (1, 1), (1, 7, 7, 64)])
def test_the_shape_of_the_output_is_told(shape):
    assert batches.describe(Sums(shape=shape), "m")["shape"] == shape


@pytest.mark.parametrize("shape", [(2, 2), (4, 7, 7, 64), (1, 0)])
def test_outputs_of_several_images_are_refused(shape):
    with pytest.raises(InvalidModel, match="for one image; export it with batch 1"):
        batches.describe(Sums(shape=shape), "m")


@pytest.mark.parametrize(("inputs", "outputs"), [((IMAGE, IMAGE), 1), ((IMAGE,), 2), ((), 1)])
def test_several_ends_are_refused(inputs, outputs):
    with pytest.raises(InvalidModel, match=f"m has {len(inputs)} inputs and {outputs} outputs"):
        batches.describe(Sums(inputs, outputs), "m")


def batch(*tensors: bytes) -> bytes:
    return batches.HEAD.pack(len(tensors), 0) + b"".join(tensors)


def pictures(table: np.ndarray[Any, Any], *pixels: np.ndarray[Any, Any]) -> io.BytesIO:
    return io.BytesIO(batches.HEAD.pack(len(pixels), len(table)) + b"".join(map(bytes, (table, *pixels))))


def tensors(info: TensorInfo, stream: io.BytesIO) -> list[np.ndarray[Any, Any]]:
    return [tensor for made in batches.read(info, stream) for tensor in made]


def test_each_tensor_is_answered_in_order_until_the_end():
    answers = io.BytesIO()
    data = batch(bytes(12), bytes([1] * 12)) + batch() + batch(bytes([2] * 12))
    batches.serve(Sums(), batches.read(IMAGE, io.BytesIO(data)), answers)
    assert np.frombuffer(answers.getvalue(), np.int8).tolist() == [0, 0, 12, 0, 24, 0]


def test_a_batch_that_is_cut_off_is_not_answered():
    assert list(batches.read(IMAGE, io.BytesIO(batch(bytes(12), bytes(12))[:-1]))) == []


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "uint8"])
def test_pixels_are_looked_up_where_the_model_runs(dtype):
    info = TensorInfo("image", (1, 1, 2, 3), dtype)
    alike = np.array([[127 - level // 2 for level in range(256)]] * 3, dtype)
    (one, other) = tensors(info, pictures(alike, np.arange(6, dtype=np.uint8), np.full(6, 255, np.uint8)))
    assert (one.dtype, one.shape) == (np.dtype(dtype), (1, 1, 2, 3))
    assert one.tolist() == [[[[127, 127, 126], [126, 125, 125]]]]
    assert other.tolist() == [[[[0] * 3] * 2]]


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_each_channel_has_its_row_of_the_table_and_comes_first_where_the_model_wants_it(dtype):
    rows = np.stack([np.arange(256) // 4 + start for start in (0, 10, 20)]).astype(dtype)
    pixels = np.array([0, 4, 8, 255, 255, 255], np.uint8)  # two of three channels
    (last,) = tensors(TensorInfo("image", (1, 1, 2, 3), dtype), pictures(rows, pixels))
    assert last.tolist() == [[[[0, 11, 22], [63, 73, 83]]]]
    (first,) = tensors(TensorInfo("image", (1, 3, 1, 2), dtype), pictures(rows, pixels))
    assert first.tolist() == [[[[0, 63]], [[11, 73]], [[22, 83]]]]


@pytest.mark.parametrize("short", [1, 12, 13, 12 + 256 * 3])
def test_pictures_that_are_cut_off_are_not_answered(short):
    data = pictures(np.zeros((3, 256), np.uint8), np.zeros(12, np.uint8)).getvalue()
    assert tensors(IMAGE, io.BytesIO(data[:-short])) == []


def test_a_batch_without_a_picture_has_no_answer_and_the_next_one_is_read():
    table = np.zeros((3, 256), np.uint8)
    stream = io.BytesIO(pictures(table).getvalue() + pictures(table, np.zeros(12, np.uint8)).getvalue())
    assert [len(list(made)) for made in batches.read(IMAGE, stream)] == [0, 1]
