"""Models small enough to make in a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mobilenet_edge.formats.onnx.write import float_onnx
from mobilenet_edge.formats.tflite.write import float_tflite
from mobilenet_edge.graph import Graph, Node

SHAPE = (1, 8, 8, 3)


@pytest.fixture
def make_onnx(tmp_path: Path) -> Callable[..., Path]:
    """Write y = x + 1 on a tensor of a given shape and element type."""

    def make(shape: Sequence[Any] = SHAPE, dtype: str = "FLOAT", name: str = "tiny.onnx") -> Path:
        import onnx
        from onnx import TensorProto, helper

        element = getattr(TensorProto, dtype)
        graph = helper.make_graph(
            [helper.make_node("Add", ["x", "one"], ["y"])],
            "tiny",
            [helper.make_tensor_value_info("x", element, list(shape))],
            [helper.make_tensor_value_info("y", element, list(shape))],
            [helper.make_tensor("one", element, [], [1])],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        path = tmp_path / name
        onnx.save(model, path)
        return path

    return make


@pytest.fixture
def reference(data: Path) -> Path:
    """Google's own uint8 TFLite model: 128 x 128 x 3 in, 1001 classes out."""
    return data / "reference/mobilenet_v1_0.25_128_quant.tflite"


@pytest.fixture(scope="session")
def small_graph() -> Graph:
    """A branch and all kinds of operators but a standard pointwise one: 8 x 8 x 3 in, 3 classes out."""
    random = np.random.default_rng(5)

    def normal(*shape: int) -> NDArray[np.float32]:
        return random.normal(size=shape).astype(np.float32)

    nodes = (
        Node("conv1", "conv", ("image",), (4, 4, 4), normal(3, 3, 3, 4), normal(4), 2, ((0, 1), (0, 1)), "relu6"),
        Node("dw", "depthwise", ("conv1",), (4, 4, 4), normal(3, 3, 4), normal(4), 1, ((1, 1), (1, 1)), "relu6"),
        Node("sum", "add", ("conv1", "dw"), (4, 4, 4), activation="relu"),
        Node("pool", "mean", ("sum",), (4,)),
        Node("head", "dense", ("pool",), (3,), normal(4, 3), normal(3)),
        Node("predictions", "softmax", ("head",), (3,)),
    )
    return Graph("small", "image", (8, 8, 3), nodes)


@pytest.fixture(scope="session")
def small_tflite(small_graph: Graph) -> bytes:
    """It as a float32 .tflite file: conv1, dw, sum, pool, head and predictions."""
    return float_tflite(small_graph)


@pytest.fixture(scope="session")
def small_onnx(small_graph: Graph) -> bytes:
    """It as a float32 .onnx file."""
    return float_onnx(small_graph)
