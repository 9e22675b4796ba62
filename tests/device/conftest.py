"""Models small enough to make in a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

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
