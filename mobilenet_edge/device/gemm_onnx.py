"""Write a matrix product as an .onnx file: a protobuf with the field numbers of onnx.proto3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mobilenet_edge.device.gemm import Shape, weights
from mobilenet_edge.formats.wire import protobuf as pb

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TYPES: Final = {"float32": 1, "uint8": 2, "int8": 3}
_OPSET: Final = 17
_IR_VERSION: Final = 8


def write(dtype: str, shape: Shape, count: int = 1) -> bytes:
    """Write a model of 1 x 1 convolutions: Conv for float32, QLinearConv with int8 weights for 8 bits.

    Args:
        dtype: Element type of the activations: "float32", "uint8" or "int8".
        shape: Size of the product: input (1, k, 1, m), weights (n, k, 1, 1), output (1, n, 1, m).
        count: Number of chained convolutions with shared weights; above 1, k and n must be equal.

    Returns:
        The content of the file.
    """
    kernel = weights(dtype, (shape.n, shape.k, 1, 1))
    if dtype == "float32":
        constants = {"w": kernel}
        op_type = "Conv"
    else:
        zero, one = np.zeros((), dtype), np.ones((), np.float32)
        constants = {
            "x scale": one, "x zero": zero,
            "w": kernel, "w scale": np.ones(shape.n, np.float32), "w zero": np.zeros(shape.n, np.int8),
            "y scale": one, "y zero": zero,
        }  # fmt: skip
        op_type = "QLinearConv"
    tensors = b"".join(pb.chunk(5, _tensor(name, values)) for name, values in constants.items())
    ends = {"x": (1, shape.k, 1, shape.m), "y": (1, shape.n, 1, shape.m)}
    return _model(_chain(op_type, list(constants), count) + tensors, dtype, ends)


def write_idle(count: int = 1) -> bytes:
    """Write a model that does nothing: a chain of `count` Flatten nodes on one float."""
    return _model(_chain("Flatten", [], count), "float32", {"x": (1, 1, 1, 1), "y": (1, 1)})


def _chain(op_type: str, constants: Sequence[str], count: int) -> bytes:
    names = ["x", *(f"x{index}" for index in range(1, count)), "y"]
    return b"".join(
        pb.chunk(1, _node(op_type, [source, *constants], output)) for source, output in zip(names, names[1:])
    )


def _model(graph: bytes, dtype: str, ends: Mapping[str, Sequence[int]]) -> bytes:
    for field, (name, shape) in zip((11, 12), ends.items()):
        graph += pb.chunk(field, _value(name, dtype, shape))
    opset = pb.text(1, "") + pb.number(2, _OPSET)
    return pb.number(1, _IR_VERSION) + pb.chunk(7, graph + pb.text(2, "product")) + pb.chunk(8, opset)


def _node(op_type: str, inputs: Sequence[str], output: str) -> bytes:
    return b"".join((*(pb.text(1, name) for name in inputs), pb.text(2, output), pb.text(4, op_type)))


def _tensor(name: str, values: NDArray[Any]) -> bytes:
    dims = b"".join(pb.number(1, side) for side in values.shape)
    return dims + pb.number(2, _TYPES[values.dtype.name]) + pb.text(8, name) + pb.chunk(9, values.tobytes())


def _value(name: str, dtype: str, shape: Sequence[int]) -> bytes:
    sides = b"".join(pb.chunk(1, pb.number(1, side)) for side in shape)
    return pb.text(1, name) + pb.chunk(2, pb.chunk(1, pb.number(1, _TYPES[dtype]) + pb.chunk(2, sides)))
