"""TFLite files from the folded graph: float32, full-integer int8 with the quantiser's own integers, and small weights.

Small are float16 or int8 weights that become float32 when the file is opened. TFLite's hybrid kernels, which quantise
the activations at every inference and multiply integers, would lose more and are slower on x86, see docs/precisions.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.formats.tflite.builder import ModelBuilder
from mobilenet_edge.formats.tflite.unit import units
from mobilenet_edge.graph import NO_PADDING, Array, Graph, Node, Padding, same_padding
from mobilenet_edge.quantise import QuantisedGraph
from mobilenet_edge.quantise.weights import Rounded, half

IO = Literal["float32", "int8", "uint8"]
_FUSED: Final = {"linear": 0, "relu": 1, "relu6": 3}  # ActivationFunctionType
_SAME, _VALID = 0, 1  # Padding
_OPTIONS: Final = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "RESHAPE": "ReshapeOptions",
    "ADD": "AddOptions",
    "MEAN": "ReducerOptions",
    "SOFTMAX": "SoftmaxOptions",
    "PAD": "PadOptions",
    "QUANTIZE": "QuantizeOptions",
    "DEQUANTIZE": "DequantizeOptions",
}
# The versions of the kernels that take int8 (1 is float).
_INT8_VERSION: Final = {
    "CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "RESHAPE": 1, "ADD": 2, "MEAN": 2, "SOFTMAX": 2, "PAD": 2,
}  # fmt: skip


def float_tflite(graph: Graph) -> bytes:
    """Write float32 weights and activations; input (1, h, w, c), output (1, ...), float32."""
    return _FloatWriter(graph).write()


def float16_tflite(graph: Graph) -> bytes:
    """Write float16 weights; biases, activations, input (1, h, w, c) and output (1, ...) float32.

    Raises:
        BuildError: A weight is beyond what float16 holds.
    """
    return _SmallWriter(graph, {}).write()


def dynamic_tflite(graph: Graph, weights: Mapping[str, Rounded]) -> bytes:
    """Write int8 weights per channel; biases, activations, input (1, h, w, c) and output (1, ...) float32.

    Args:
        graph: The folded graph.
        weights: By name of the node; a node that is not among them keeps its weight, in float16.

    Raises:
        BuildError: A weight that is kept is beyond what float16 holds.
    """
    return _SmallWriter(graph, weights).write()


def int8_tflite(quantised: QuantisedGraph, io: IO = "int8") -> bytes:
    """Write a full-integer file: int8 weights per channel, int8 activations, int32 biases.

    Args:
        quantised: The integers; they stand in the file as they are. Scales of inner tensors may be told in another
            unit, see `unit`.
        io: Element type of input and output; other than int8 it costs one conversion at each end.
    """
    return _Int8Writer(quantised, io).write()


class _FloatWriter:
    """Walks the graph; the other writers exchange how tensors are stored."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.file = ModelBuilder()
        self.index: dict[str, int] = {}

    def write(self) -> bytes:
        first = self.enter()
        for node in self.graph.nodes:
            self._node(node)
        return self.file.finish([first], [self.leave()], self.graph.name)

    def enter(self) -> int:
        """Make the input tensor; return the index of the model's input."""
        self.index[self.graph.input] = self.activation(self.graph.input, self.graph.input_shape)
        return self.index[self.graph.input]

    def leave(self) -> int:
        """Return the index of the model's output."""
        return self.index[self.graph.output.name]

    def activation(self, name: str, shape: tuple[int, ...], grid_of: str | None = None) -> int:
        """Add a computed tensor, on the grid of `grid_of` or its own; return its index."""
        return self.file.tensor(name, (1, *shape), "float32")

    def weight(self, node: Node) -> int:
        """Store a weight; return its index."""
        kernel = _tflite_order(node, node.kernel)
        return self.file.tensor(f"{node.name}/w", kernel.shape, "float32", kernel)

    def bias(self, node: Node) -> int:
        """Store a bias; return its index."""
        return self.file.tensor(f"{node.name}/b", node.offset.shape, "float32", node.offset)

    def fused(self, node: Node) -> int:
        """Return the code of a node's activation."""
        return _FUSED[node.activation]

    def dense(self, node: Node, source: int, output: int) -> None:
        """Add the operators of a dense node."""
        inputs = [source, self.weight(node), self.bias(node)]
        self.operator("FULLY_CONNECTED", inputs, output, FusedActivationFunction=self.fused(node))

    def operator(self, code: str, inputs: list[int], output: int, version: int = 1, **values: Any) -> None:
        self.file.operator(code, inputs, output, version=version, options=_OPTIONS[code], **values)

    def _node(self, node: Node) -> None:
        inputs = [self.index[name] for name in node.inputs]
        output = self.index[node.name] = self.activation(node.name, node.shape)
        if node.op in ("conv", "depthwise"):
            self._convolution(node, inputs[0], output)
        elif node.op == "dense":
            self.dense(node, inputs[0], output)
        elif node.op == "add":
            self.operator("ADD", inputs, output, FusedActivationFunction=self.fused(node))
        elif node.op == "mean":
            axes = self.file.tensor(f"{node.name}/axes", [2], "int32", np.array([1, 2], np.int32))
            self.operator("MEAN", [*inputs, axes], output, KeepDims=False)
        else:
            self.operator("SOFTMAX", inputs, output, Beta=1.0)

    def _convolution(self, node: Node, source: int, output: int) -> None:
        padding, rest = _scheme(node, self.graph.shape(node.inputs[0]))
        if rest != NO_PADDING:
            source = self._pad(node, source, rest)
        depthwise: dict[str, Any] = {"DepthMultiplier": 1} if node.op == "depthwise" else {}
        self.operator(
            "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
            [source, self.weight(node), self.bias(node)],
            output,
            Padding=padding,
            StrideH=node.stride,
            StrideW=node.stride,
            FusedActivationFunction=self.fused(node),
            **depthwise,
        )

    def _pad(self, node: Node, source: int, padding: Padding) -> int:
        height, width, channels = self.graph.shape(node.inputs[0])
        (top, bottom), (left, right) = padding
        amounts = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
        output = self.activation(
            f"{node.name}/padded", (height + top + bottom, width + left + right, channels), node.inputs[0]
        )
        self.operator("PAD", [source, self.file.tensor(f"{node.name}/pads", [4, 2], "int32", amounts)], output)
        return output


class _SmallWriter(_FloatWriter):
    """Stores weights in fewer bits, each behind a DEQUANTIZE that XNNPACK runs once, when the file is opened."""

    def __init__(self, graph: Graph, weights: Mapping[str, Rounded]) -> None:
        super().__init__(graph)
        self.weights = weights

    def weight(self, node: Node) -> int:
        if node.name in self.weights:
            made = self.weights[node.name]
            return self._widened(node, made.integers, 5, made.scales)
        return self._widened(node, half(node), 3)

    def _widened(self, node: Node, stored: NDArray[Any], version: int, scales: Sequence[float] | Array = ()) -> int:
        value, name = _tflite_order(node, stored), f"{node.name}/w"
        axis = 3 if node.op == "depthwise" else 0
        source = self.file.tensor(name, value.shape, str(value.dtype), value, scales, axis=axis)
        made = self.file.tensor(f"{name}/float", value.shape, "float32")
        self.operator("DEQUANTIZE", [source], made, version)
        return made


class _Int8Writer(_FloatWriter):
    def __init__(self, quantised: QuantisedGraph, io: IO) -> None:
        super().__init__(quantised.graph)
        self.quantised = quantised
        self.io = io
        self.units = units(quantised)

    def enter(self) -> int:
        inner = super().enter()
        if self.io == "int8":
            return inner
        outer = self._end("input", self.graph.input, self.graph.input_shape)
        self.operator("QUANTIZE", [outer], inner, 1 if self.io == "float32" else 2)
        return outer

    def leave(self) -> int:
        inner = super().leave()
        if self.io == "int8":
            return inner
        outer = self._end("output", self.graph.output.name, self.graph.output.shape)
        self.operator("DEQUANTIZE" if self.io == "float32" else "QUANTIZE", [inner], outer, 2)
        return outer

    def activation(self, name: str, shape: tuple[int, ...], grid_of: str | None = None) -> int:
        zero_point = self.quantised.grids[grid_of or name].zero_point
        return self.file.tensor(name, (1, *shape), "int8", None, [self._scale(grid_of or name)], zero_point)

    def weight(self, node: Node) -> int:
        integers = _tflite_order(node, self.quantised.weights[node.name].integers)
        if node.op == "dense":
            integers = integers[:, None, None]
        axis = 3 if node.op == "depthwise" else 0
        return self.file.tensor(
            f"{node.name}/w", integers.shape, "int8", integers, self._weight_scales(node), axis=axis
        )

    def bias(self, node: Node) -> int:
        bias = self.quantised.weights[node.name].bias
        # Where the input is counted in its own steps this is the weights' vector again, and stored once.
        scales = self._weight_scales(node) * np.float32(self._scale(node.inputs[0]))
        return self.file.tensor(f"{node.name}/b", bias.shape, "int32", bias, scales)

    def dense(self, node: Node, source: int, output: int) -> None:
        # FULLY_CONNECTED learned of a scale a channel after the Edge TPU's compiler was last built; CONV_2D always had
        # it, gives the same integers and takes the same time.
        column = self.activation(f"{node.name}/column", (1, 1, *self.graph.shape(node.inputs[0])), node.inputs[0])
        made = self.activation(f"{node.name}/made", (1, 1, *node.shape), node.name)
        self._reshape(source, column, (1, 1, 1, *self.graph.shape(node.inputs[0])), f"{node.name}/column/shape")
        self.operator(
            "CONV_2D",
            [column, self.weight(node), self.bias(node)],
            made,
            Padding=_VALID,
            StrideH=1,
            StrideW=1,
            FusedActivationFunction=self.fused(node),
        )
        self._reshape(made, output, (1, *node.shape), f"{node.name}/shape")

    def fused(self, node: Node) -> int:
        # Counted in steps, 6 is no longer 6: there the grid's own end does the clipping.
        in_steps = node.activation == "relu6" and self.units[node.name] != 1
        return _FUSED["relu"] if in_steps else super().fused(node)

    def operator(self, code: str, inputs: list[int], output: int, version: int | None = None, **values: Any) -> None:
        super().operator(code, inputs, output, version or _INT8_VERSION[code], **values)

    def _reshape(self, source: int, output: int, shape: tuple[int, ...], name: str) -> None:
        wanted = self.file.tensor(name, [len(shape)], "int32", np.array(shape, np.int32))
        self.operator("RESHAPE", [source, wanted], output)

    def _end(self, name: str, grid_of: str, shape: tuple[int, ...]) -> int:
        """Add an input or output of the asked type; uint8 is the same grid seen from 128 higher."""
        if self.io == "float32":
            return self.file.tensor(name, (1, *shape), "float32")
        grid = self.quantised.grids[grid_of]
        return self.file.tensor(name, (1, *shape), "uint8", None, [grid.scale], grid.zero_point + 128)

    def _scale(self, name: str) -> float:
        """Scale of a tensor in the file's unit of it."""
        return self.quantised.grids[name].scale / self.units[name]

    def _weight_scales(self, node: Node) -> Array:
        """Scales of a weight between the file's units of its input and output; rounded once."""
        ratio = self.units[node.inputs[0]] / self.units[node.name]
        return np.asarray(self.quantised.weights[node.name].scales.astype(np.float64) * ratio, np.float32)


def _tflite_order(node: Node, weight: NDArray[Any] | Array) -> NDArray[Any]:
    if node.op == "depthwise":
        return weight[None]
    return np.moveaxis(weight, -1, 0)


def _scheme(node: Node, shape: tuple[int, ...]) -> tuple[int, Padding]:
    """Return TFLite's padding scheme, and what must be padded by an operator of its own."""
    size = node.kernel.shape[:2]
    same = tuple(same_padding(side, kernel, node.stride) for side, kernel in zip(shape[:2], size, strict=True))
    if math.prod(size) > 1 and node.padding == same:
        return _SAME, NO_PADDING
    return _VALID, node.padding
