"""A walk over the folded graph that puts one or a few TFLite operators for each node."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, assert_never

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.errors import BuildError
from mobilenet_edge.formats.tflite.builder import ModelBuilder
from mobilenet_edge.graph import NO_PADDING, Array, Graph, Node, Padding, same_padding

_SAME, VALID = 0, 1  # Padding
RELU: Final = 1  # ActivationFunctionType
_OPTIONS: Final = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "RESHAPE": "ReshapeOptions",
    "ADD": "AddOptions",
    "MUL": "MulOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "CONCATENATION": "ConcatenationOptions",
    "MEAN": "ReducerOptions",
    "REDUCE_MAX": "ReducerOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "SOFTMAX": "SoftmaxOptions",
    "PAD": "PadOptions",
    "PADV2": "PadV2Options",
    "QUANTIZE": "QuantizeOptions",
    "DEQUANTIZE": "DequantizeOptions",
}


class FloatWriter:
    """Writes float32; the other writers exchange how tensors are stored.

    A vector (c,) is a tensor (1, c) or, as a "column", (1, 1, 1, c), which is what convolutions take.
    """

    def __init__(self, graph: Graph, file: ModelBuilder | None = None) -> None:
        self.graph = graph
        self.file = file or ModelBuilder()
        # By name of the tensor and whether it is a column.
        self.index: dict[tuple[str, bool], int] = {}

    def write(self) -> bytes:
        first = self.enter()
        self.walk()
        return self.file.finish([first], [self.leave()], self.graph.name)

    def walk(self) -> None:
        """Add the operators of all nodes."""
        for node in self.graph.nodes:
            self._node(node)

    def enter(self) -> int:
        """Make the input tensor; return the index of the model's input."""
        name = self.graph.input
        self.index[name, False] = self.activation(name, self.graph.input_shape)
        return self.index[name, False]

    def leave(self) -> int:
        """Return the index of the model's output."""
        return self.read(self.graph.output.name, column=False)

    def activation(self, name: str, shape: tuple[int, ...], grid_of: str | None = None) -> int:
        """Add a computed tensor, on the grid of `grid_of` or its own; return its index."""
        return self.file.tensor(name, (1, *shape), "float32")

    def weight(self, node: Node) -> int:
        """Store a weight; return its index."""
        kernel = tflite_order(node, node.kernel)
        return self.file.tensor(f"{node.name}/w", kernel.shape, "float32", kernel)

    def bias(self, node: Node) -> int:
        """Store a bias; return its index."""
        return self.file.tensor(f"{node.name}/b", node.offset.shape, "float32", node.offset)

    def number(self, name: str, value: float, like: str) -> int:
        """Store a number that is combined with the values of the tensor `like`; return its index."""
        return self.file.tensor(name, (), "float32", np.array(value, np.float32))

    def fused(self, node: Node) -> int:
        """Return the code of a node's activation."""
        match node.activation:
            case "linear":
                return 0
            case "relu" | "relu1":
                return RELU
            case "relu6":
                return 3
            case _:
                assert_never(node.activation)

    def operator(self, code: str, inputs: list[int], output: int, version: int = 1, **values: Any) -> None:
        self.file.operator(code, inputs, output, version=version, options=_OPTIONS.get(code, ""), **values)

    def is_column(self, name: str) -> bool:
        """Whether a tensor is at hand as a column only."""
        return (name, False) not in self.index

    def read(self, name: str, column: bool | None = None) -> int:
        """Return the index of a tensor; of a vector in the form asked for, or in that which is at hand."""
        wanted = self.is_column(name) if column is None else column
        if (name, wanted) not in self.index:
            shape = self.graph.shape(name)
            shape = (1, 1, *shape) if wanted else shape
            made = self.activation(name if not wanted else f"{name}/column", shape, name)
            self._reshape(self.index[name, not wanted], made, (1, *shape), f"{name}/shape")
            self.index[name, wanted] = made
        return self.index[name, wanted]

    def output(self, node: Node, column: bool = False) -> int:
        """Add the tensor that a node makes; return its index."""
        name = f"{node.name}/column" if column and node is self.graph.output else node.name
        made = self.activation(name, (1, 1, *node.shape) if column else node.shape, node.name)
        self.index[node.name, column] = made
        return made

    def dense(self, node: Node) -> None:
        """Add the operators of a dense node."""
        inputs = [self.read(node.inputs[0]), self.weight(node), self.bias(node)]
        self.operator("FULLY_CONNECTED", inputs, self.output(node), FusedActivationFunction=self.fused(node))

    def elementwise(self, code: str, node: Node, inputs: list[int], column: bool) -> None:
        """Add a sum or a product."""
        self.operator(code, inputs, self.output(node, column), FusedActivationFunction=self.fused(node))

    def concat(self, node: Node, inputs: list[int], column: bool) -> None:
        """Add the operators of a concat node."""
        axis = 1 if len(node.shape) == 1 and not column else 3
        self.operator("CONCATENATION", inputs, self.output(node, column), Axis=axis, FusedActivationFunction=0)

    def hard_sigmoid(self, node: Node) -> None:
        """Add the operators of a hard sigmoid, for which TFLite has none."""
        source, column = self.read(node.inputs[0]), self.is_column(node.inputs[0])
        shape = (1, 1, *node.shape) if column else node.shape
        clipped = self.activation(f"{node.name}/clipped", shape)
        three, sixth = self.number(f"{node.name}/3", 3, node.name), self.number(f"{node.name}/6", 1 / 6, node.name)
        self.operator("ADD", [source, three], clipped, FusedActivationFunction=3)
        self.operator("MUL", [clipped, sixth], self.output(node, column), FusedActivationFunction=0)

    def hard_swish(self, node: Node) -> None:
        """Add the operators of a hard swish."""
        self._function("HARD_SWISH", node)

    def convolution(self, code: str, node: Node, padding: int = VALID, source: int | None = None) -> None:
        """Add a convolution; `source` is its input once padded."""
        vector = len(node.shape) == 1
        source = self.read(node.inputs[0], column=vector) if source is None else source
        self.operator(
            code,
            [source, self.weight(node), self.bias(node)],
            self.output(node, column=vector),
            Padding=padding,
            StrideH=node.stride,
            StrideW=node.stride,
            FusedActivationFunction=self.fused(node),
            **({"DepthMultiplier": 1} if code == "DEPTHWISE_CONV_2D" else {}),
        )

    def limit(self, node: Node) -> None:
        """Add what an activation asks for that no operator has fused: the 1 of a ReLU1."""
        for column in (False, True) if node.activation == "relu1" else ():
            if (source := self.index.pop((node.name, column), None)) is not None:
                one = self.number(f"{node.name}/1", 1, node.name)
                self.operator("MINIMUM", [source, one], self.output(node, column))

    def _node(self, node: Node) -> None:
        match node.op:
            case "conv":
                self._padded("CONV_2D", node)
            case "depthwise":
                self._padded("DEPTHWISE_CONV_2D", node)
            case "dense":
                self.dense(node)
            case "add":
                self._elementwise("ADD", node)
            case "multiply":
                self._elementwise("MUL", node)
            case "concat":
                column = all(map(self.is_column, node.inputs))
                self.concat(node, [self.read(name, column) for name in node.inputs], column)
            case "mean":
                self._reduce("MEAN", node)
            case "max":
                self._reduce("REDUCE_MAX", node)
            case "average_pool":
                self._pool("AVERAGE_POOL_2D", node)
            case "max_pool":
                self._pool("MAX_POOL_2D", node)
            case "sigmoid":
                self._function("LOGISTIC", node)
            case "hard_sigmoid":
                self.hard_sigmoid(node)
            case "hard_swish":
                self.hard_swish(node)
            case "softmax":
                self.operator("SOFTMAX", [self.read(node.inputs[0], column=False)], self.output(node), Beta=1.0)
            case _:
                assert_never(node.op)
        self.limit(node)

    def _function(self, code: str, node: Node) -> None:
        """Add an operator of one input that changes no shape."""
        column = self.is_column(node.inputs[0])
        self.operator(code, [self.read(node.inputs[0])], self.output(node, column))

    def _elementwise(self, code: str, node: Node) -> None:
        column = len(node.shape) == 1 and any(map(self.is_column, node.inputs))
        # A map takes a vector in either form.
        inputs = [self.read(name, column if len(node.shape) == 1 else None) for name in node.inputs]
        self.elementwise(code, node, inputs, column)

    def _reduce(self, code: str, node: Node) -> None:
        axes = self.file.tensor(f"{node.name}/axes", [2], "int32", np.array([1, 2], np.int32))
        # With KeepDims the plain int8 kernel of MEAN truncates the zero point, up to a step.
        self.operator(code, [self.read(node.inputs[0]), axes], self.output(node), KeepDims=False)

    def _padded(self, code: str, node: Node) -> None:
        padding, rest = self._scheme(node, node.kernel.shape[:2])
        source = self._pad(node, rest) if rest != NO_PADDING else None
        self.convolution(code, node, padding, source)

    def _pool(self, code: str, node: Node) -> None:
        padding, rest = self._scheme(node, node.window)
        if rest != NO_PADDING and node.op == "average_pool":
            raise BuildError(
                f"layer {node.name!r} averages with a padding of {node.padding}, which TFLite cannot; "
                "pad 'same' or 'valid', or export with --format onnx"
            )
        source = self._pad(node, rest, lowest=True) if rest != NO_PADDING else self.read(node.inputs[0])
        self.operator(
            code,
            [source],
            self.output(node),
            Padding=padding,
            StrideH=node.stride,
            StrideW=node.stride,
            FilterHeight=node.window[0],
            FilterWidth=node.window[1],
            FusedActivationFunction=0,
        )

    def _pad(self, node: Node, padding: Padding, lowest: bool = False) -> int:
        """Add an operator that pads a node's input, with zeros or with what no maximum takes; return its output."""
        (source,) = node.inputs
        height, width, channels = self.graph.shape(source)
        (top, bottom), (left, right) = padding
        amounts = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
        output = self.activation(f"{node.name}/padded", (height + top + bottom, width + left + right, channels), source)
        inputs = [self.read(source), self.file.tensor(f"{node.name}/pads", [4, 2], "int32", amounts)]
        inputs += [self.number(f"{node.name}/lowest", -math.inf, source)] if lowest else []
        self.operator("PADV2" if lowest else "PAD", inputs, output)
        return output

    def _reshape(self, source: int, output: int, shape: tuple[int, ...], name: str) -> None:
        wanted = self.file.tensor(name, [len(shape)], "int32", np.array(shape, np.int32))
        self.operator("RESHAPE", [source, wanted], output)

    def _scheme(self, node: Node, size: Sequence[int]) -> tuple[int, Padding]:
        """Return TFLite's padding scheme, and what must be padded by an operator of its own."""
        shape = self.graph.shape(node.inputs[0])
        same = tuple(same_padding(side, kernel, node.stride) for side, kernel in zip(shape[:2], size, strict=False))
        if math.prod(size) > 1 and node.padding == same:
            return _SAME, NO_PADDING
        return VALID, node.padding


def tflite_order(node: Node, weight: NDArray[Any] | Array) -> NDArray[Any]:
    """Return a weight with its axes as TFLite has them: the output channels first, of a depthwise one last."""
    if node.op == "depthwise":
        return weight[None]
    return np.moveaxis(weight, -1, 0)
