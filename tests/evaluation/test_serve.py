from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.device.faults import InvalidModel
from mobilenet_edge.device.runtimes import TensorInfo
from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation import serve

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
    facts = serve.describe(Sums(), "m.tflite")
    assert (facts.runtime, facts.version, facts.dtype, facts.shape) == ("fake", "1", "int8", (1, 2))
    assert (facts.input.shape, facts.input.dtype, facts.input.scale, facts.input.zero_point) == (
        (1, 2, 2, 3),
        "uint8",
        0.5,
        3,
    )


def test_model_is_tried_before_it_is_described():
    session = Sums()
    serve.describe(session, "m.tflite")
    assert [array.dtype for array in session.seen] == [np.uint8]


@pytest.mark.parametrize("shape", [(1, 2), (2,), (1, 1, 1, 2), (1, 2, 1, 1), (1, 1), (1, 7, 7, 64)])
def test_the_shape_of_the_output_is_told(shape):
    assert serve.describe(Sums(shape=shape), "m").shape == shape


@pytest.mark.parametrize("shape", [(2, 2), (4, 7, 7, 64), (1, 0)])
def test_outputs_of_several_images_are_refused(shape):
    with pytest.raises(InvalidModel, match="for one image; export it with batch 1"):
        serve.describe(Sums(shape=shape), "m")


@pytest.mark.parametrize(("inputs", "outputs"), [((IMAGE, IMAGE), 1), ((IMAGE,), 2), ((), 1)])
def test_several_ends_are_refused(inputs, outputs):
    with pytest.raises(InvalidModel, match=f"m has {len(inputs)} inputs and {outputs} outputs"):
        serve.describe(Sums(inputs, outputs), "m")


def test_input_that_is_no_image_is_refused_before_it_is_run():
    session = Sums([TensorInfo("text", (1, 128), "int32")])
    with pytest.raises(InputError, match="not one RGB or grey image"):
        serve.describe(session, "m")
    assert session.seen == []


def batch(*tensors: bytes) -> bytes:
    return serve.COUNT.pack(len(tensors)) + b"".join(tensors)


def test_each_tensor_is_answered_in_order_until_the_end():
    answers = io.BytesIO()
    read = batch(bytes(12), bytes([1] * 12)) + batch() + batch(bytes([2] * 12))
    serve.serve(Sums(), io.BytesIO(read), answers)
    assert np.frombuffer(answers.getvalue(), np.int8).tolist() == [0, 0, 12, 0, 24, 0]


def test_nothing_of_a_batch_is_answered_before_all_of_it_is_read():
    answers = io.BytesIO()
    serve.serve(Sums(), io.BytesIO(batch(bytes(12), bytes(12))[:-1]), answers)
    assert answers.getvalue() == b""
