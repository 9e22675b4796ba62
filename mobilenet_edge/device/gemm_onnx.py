"""Write a matrix product as an .onnx file: a protobuf with the field numbers of onnx.proto3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mobilenet_edge.device.gemm import Shape, weights
from mobilenet_edge.formats.wire import protobuf as pb

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TYPES: Final = {"float32": 1, "uint8": 2, "int8": 3}
_OPSET: Final = 17
_INT: Final = 2  # of the enum AttributeType
_IR_VERSION: Final = 8


def write(dtype: str, shape: Shape, count: int = 1) -> bytes:
    """Write a model of 1 x 1 convolutions: Conv, for 8 bits between DequantizeLinear and QuantizeLinear.

    All runtimes compute such a convolution in integers; OpenVINO computes a QLinearConv in float.

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
        nodes = _chain("Conv", list(constants), count)
    else:
        constants = {
            "scale": np.ones((), np.float32), "zero": np.zeros((), dtype),
            "w": kernel, "w scale": np.ones(shape.n, np.float32), "w zero": np.zeros(shape.n, np.int8),
        }  # fmt: skip
        nodes = _real_weights() + b"".join(_integer_product(*ends) for ends in _links(count))
    tensors = b"".join(pb.chunk(5, _tensor(name, values)) for name, values in constants.items())
    ends = {"x": (1, shape.k, 1, shape.m), "y": (1, shape.n, 1, shape.m)}
    return _model(nodes + tensors, dtype, ends)


def write_idle(count: int = 1) -> bytes:
    """Write a model that does nothing: a chain of `count` Flatten nodes on one float."""
    return _model(_chain("Flatten", [], count), "float32", {"x": (1, 1, 1, 1), "y": (1, 1)})


def _links(count: int) -> Iterable[tuple[str, str]]:
    """Name the input and output of each of `count` chained operators."""
    names = ["x", *(f"x{index}" for index in range(1, count)), "y"]
    return zip(names, names[1:])


def _chain(op_type: str, constants: Sequence[str], count: int) -> bytes:
    return b"".join(pb.chunk(1, _node(op_type, [source, *constants], output)) for source, output in _links(count))


def _real_weights() -> bytes:
    # The scales are those of the output channels, which is axis 0.
    axis = pb.text(1, "axis") + pb.number(3, 0) + pb.number(20, _INT)
    return pb.chunk(1, _node("DequantizeLinear", ["w", "w scale", "w zero"], "w real") + pb.chunk(5, axis))


def _integer_product(source: str, output: str) -> bytes:
    nodes = (
        _node("DequantizeLinear", [source, "scale", "zero"], f"{source} real"),
        _node("Conv", [f"{source} real", "w real"], f"{output} real product"),
        _node("QuantizeLinear", [f"{output} real product", "scale", "zero"], output),
    )
    return b"".join(pb.chunk(1, node) for node in nodes)


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
