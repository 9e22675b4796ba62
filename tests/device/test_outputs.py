"""Outputs of a model for given inputs."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.device import outputs, runtimes
from mobilenet_edge.device.faults import InvalidModel, RequestError
from mobilenet_edge.device.runtimes import TensorInfo
from mobilenet_edge.device.worker import Request


class Sums:
    """The sum of the input, and zero."""

    runtime, version = "fake", "1"
    inputs = (TensorInfo("image", (1, 2), "uint8"),)

    def __init__(self, count=1):
        self.outputs = (TensorInfo("scores", (1, 2), "int8", 0.5, 3),) * count

    def run(self, arrays):
        return [np.array([[arrays[0].sum(), 0]], np.int8)]


@pytest.fixture
def request_of(tmp_path, monkeypatch):
    def build(session):
        monkeypatch.setattr(runtimes, "open_model", lambda *_, **__: session)
        np.save(tmp_path / "tensors.npy", np.array([[[1, 2]], [[3, 4]]], np.uint8))
        return Request("outputs", "m.tflite", inputs=str(tmp_path / "tensors.npy"))

    return build


def test_each_input_is_answered_in_order(request_of):
    found = outputs.run(request_of(Sums()))
    assert found["values"] == [[3, 0], [7, 0]]
    assert len(found["times_ns"]) == 2
    assert found["output"] == {"name": "scores", "shape": [1, 2], "dtype": "int8", "scale": 0.5, "zero_point": 3}


def test_what_cannot_be_answered_is_refused(request_of):
    with pytest.raises(InvalidModel, match="2 outputs"):
        outputs.run(request_of(Sums(2)))
    with pytest.raises(RequestError, match="needs inputs"):
        outputs.run(Request("outputs", "m.tflite"))
