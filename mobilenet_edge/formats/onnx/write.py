"""ONNX files from the folded graph: float32, float32 from small weights, and int8 in QDQ form with the given integers.

QDQ keeps each float operator and says with QuantizeLinear and DequantizeLinear on which grid its tensors lie; a runtime
with integer kernels fuses the three. The layout is ONNX's own, (1, channels, height, width).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.errors import MissingExtraError
from mobilenet_edge.graph import Array, Graph, Node
from mobilenet_edge.quantise import Grid, QuantisedGraph
from mobilenet_edge.quantise.weights import Rounded, half

IO = Literal["float32", "int8", "uint8"]
# Per-channel QDQ needs 13; what the oldest supported onnxruntime has kernels for is far above.
OPSET: Final = 17
IR_VERSION: Final = 8


def float_onnx(graph: Graph) -> bytes:
    """Write float32; input (1, c, h, w), output (1, ...), static batch."""
    return _FloatWriter(graph).write()


def float16_onnx(graph: Graph) -> bytes:
    """Write float16 weights; biases, activations, input (1, c, h, w) and output (1, ...) float32.

    Raises:
        BuildError: A weight is beyond what float16 holds.
    """
    return _SmallWriter(graph, {}).write()


def dynamic_onnx(graph: Graph, weights: Mapping[str, Rounded]) -> bytes:
    """Write int8 weights per channel; biases, activations, input (1, c, h, w) and output (1, ...) float32.

    Args:
        graph: The folded graph.
        weights: By name of the node; a node that is not among them keeps its weight, in float16.

    Raises:
        BuildError: A weight that is kept is beyond what float16 holds.
    """
    return _SmallWriter(graph, weights).write()


def int8_onnx(quantised: QuantisedGraph, io: IO = "float32", activations: Literal["uint8", "int8"] = "uint8") -> bytes:
    """Write int8 weights per channel, 8-bit activations, QDQ.

    Args:
        quantised: The integers; they stand in the file as they are.
        io: Element type of input and output. With float32 the closing softmax is computed in float; another integer
            than the activations' costs a conversion at each end.
        activations: Their element type: the same grid, seen from 128 higher for uint8.
    """
    return _Int8Writer(quantised, io, activations).write()


class _FloatWriter:
    """Walks the graph; the other writers exchange how a tensor is read, stored and made."""

    def __init__(self, graph: Graph) -> None:
        try:
            import onnx
        except ImportError as error:
            raise MissingExtraError("writing .onnx files needs the onnx package", "build") from error
        self.onnx = onnx
        self.graph = graph
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def write(self) -> bytes:
        helper, graph = self.onnx.helper, self.graph
        first, last = self.enter(), self.output_name
        for node in graph.nodes:
            self.make(node, [self.read(name) for name in node.inputs])
        made = helper.make_graph(
            self.nodes,
            graph.name,
            [self._value(first, _channels_first(graph.input_shape))],
            [self._value(last, _channels_first(graph.output.shape))],
            list(self.constants.values()),
        )
        model = helper.make_model(
            made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="mobilenet-edge"
        )
        self.onnx.checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))

    @property
    def io(self) -> str:
        return "float32"

    @property
    def output_name(self) -> str:
        return self.graph.output.name

    def enter(self) -> str:
        """Make the input tensor; return the model's input name."""
        return self.graph.input

    def read(self, name: str) -> str:
        """Name of the float tensor that a reader of a tensor takes."""
        return name

    def make(self, node: Node, inputs: list[str]) -> None:
        """Add the operators of a node."""
        clip = node.activation != "linear"
        linear = f"{node.name}/linear" if clip else node.name
        self.operator(node, inputs, linear)
        if node.activation == "relu":
            self.add("Relu", [linear], node.name)
        elif clip:
            limits = [self.constant(f"relu6/{name}", np.float32(value)) for name, value in (("low", 0), ("high", 6))]
            self.add("Clip", [linear, *limits], node.name)

    def operator(self, node: Node, inputs: list[str], output: str) -> None:
        """Add a node's own operator, without its activation."""
        if node.op in ("conv", "depthwise"):
            (top, bottom), (left, right) = node.padding
            groups = node.shape[-1] if node.op == "depthwise" else 1
            # Fields at their defaults are left out, as they would be read.
            given: dict[str, Any] = {"group": groups} if groups > 1 else {}
            given |= {"strides": [node.stride] * 2} if node.stride > 1 else {}
            given |= {"pads": [top, left, bottom, right]} if any((top, left, bottom, right)) else {}
            self.add("Conv", [*inputs, self.weight(node), self.bias(node)], output, **given)
        elif node.op == "dense":
            self.add("Gemm", [*inputs, self.weight(node), self.bias(node)], output, transB=1)
        elif node.op == "add":
            self.add("Add", inputs, output)
        elif node.op == "mean":
            self.mean(node, inputs[0], output)
        else:
            self.add("Softmax", inputs, output)

    def mean(self, node: Node, source: str, output: str) -> None:
        """Average over height and width."""
        self.add("GlobalAveragePool", [source], f"{node.name}/map")
        self.add("Flatten", [f"{node.name}/map"], output)

    def weight(self, node: Node) -> str:
        """Store a weight; return the name of the tensor that holds it as float."""
        return self.constant(f"{node.name}/w", _onnx_order(node, node.kernel))

    def bias(self, node: Node) -> str:
        """Store a bias; return the name of the tensor that holds it as float."""
        return self.constant(f"{node.name}/b", node.offset)

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [output], **attributes))

    def constant(self, name: str, value: NDArray[Any] | np.generic) -> str:
        self.constants[name] = self.onnx.numpy_helper.from_array(
            np.ascontiguousarray(value).reshape(np.shape(value)), name
        )
        return name

    def _value(self, name: str, shape: tuple[int, ...]) -> Any:
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(self.io))
        return self.onnx.helper.make_tensor_value_info(name, kind, shape)


class _SmallWriter(_FloatWriter):
    """Stores weights in fewer bits; onnxruntime computes the float32 ones once, when the file is opened.

    It folds Cast and Mul of constants, but leaves a DequantizeLinear to every inference, which takes 2.6 times as long.
    """

    def __init__(self, graph: Graph, weights: Mapping[str, Rounded]) -> None:
        super().__init__(graph)
        self.weights = weights

    def weight(self, node: Node) -> str:
        name = f"{node.name}/w"
        if node.name not in self.weights:
            return self._cast(self.constant(name, _onnx_order(node, half(node))), f"{name}/float")
        made = self.weights[node.name]
        integers = _onnx_order(node, made.integers)
        steps = self._cast(self.constant(name, integers), f"{name}/steps")
        scales = self.constant(f"{name}/scale", made.scales.reshape(-1, *[1] * (integers.ndim - 1)))
        self.add("Mul", [steps, scales], f"{name}/float")
        return f"{name}/float"

    def _cast(self, source: str, output: str) -> str:
        self.add("Cast", [source], output, to=self.onnx.TensorProto.FLOAT)
        return output


class _Int8Writer(_FloatWriter):
    def __init__(self, quantised: QuantisedGraph, io: IO, activations: str) -> None:
        super().__init__(quantised.graph)
        self.quantised = quantised
        self._io = io
        self.activations = activations
        self.float_output = io == "float32" and self.graph.output.op == "softmax"

    @property
    def io(self) -> str:
        return self._io

    @property
    def output_name(self) -> str:
        name = self.graph.output.name
        if self.float_output:
            return name
        if self.io == "float32":
            return f"{name}/float"
        return f"{name}/quantised" if self.io == self.activations else f"{name}/{self.io}"

    def enter(self) -> str:
        name = self.graph.input
        if self.io == self.activations:
            return f"{name}/quantised"
        if self.io == "float32":
            self._quantise(name, name)
            return name
        # onnxruntime leaves a layer in float whose input and output are of different integers: convert before it.
        self.add("DequantizeLinear", [f"{name}/{self.io}", *self._parameters(name, self.io)], f"{name}/entered")
        self._quantise(f"{name}/entered", name)
        return f"{name}/{self.io}"

    def read(self, name: str) -> str:
        float_name = f"{name}/float"
        if not any(float_name in node.output for node in self.nodes):
            self._dequantise(name)
        return float_name

    def make(self, node: Node, inputs: list[str]) -> None:
        if node.op == "softmax" and self.float_output:
            self.operator(node, inputs, node.name)
            return
        # A ReLU's clipping is what its grid does anyway: it begins at zero and ends at 6 or below.
        self.operator(node, inputs, f"{node.name}/real")
        self._quantise(f"{node.name}/real", node.name)
        if node is self.graph.output and self.io != self.activations:
            self._dequantise(node.name)
            if self.io != "float32":
                leaving = [f"{node.name}/float", *self._parameters(node.name, self.io)]
                self.add("QuantizeLinear", leaving, self.output_name)

    def mean(self, node: Node, source: str, output: str) -> None:
        # Each operator stands between its own pair, or the runtime leaves it in float.
        pooled = f"{node.name}/map"
        self.add("GlobalAveragePool", [source], f"{pooled}/real")
        self._quantise(f"{pooled}/real", pooled, node.name)
        self._dequantise(pooled, node.name)
        self.add("Flatten", [f"{pooled}/float"], output)

    def weight(self, node: Node) -> str:
        made = self.quantised.weights[node.name]
        name = f"{node.name}/w"
        parts = [
            self.constant(name, _onnx_order(node, made.integers)),
            self.constant(f"{name}/scale", made.scales),
            self.constant(f"zeros/{len(made.scales)}", np.zeros(len(made.scales), np.int8)),
        ]
        self.add("DequantizeLinear", parts, f"{name}/float", axis=0)
        return f"{name}/float"

    def bias(self, node: Node) -> str:
        # onnxruntime rounds a float bias to steps of input scale times weight scale when it fuses; these are such
        # steps already, and a second vector of scales is saved.
        made = self.quantised.weights[node.name]
        step = made.scales * np.float32(self._grid(node.inputs[0]).scale)
        return self.constant(f"{node.name}/b", made.bias.astype(np.float32) * step)

    def _grid(self, name: str) -> Grid:
        return self.quantised.grids[name]

    def _quantise(self, source: str, name: str, grid_of: str | None = None) -> None:
        self.add("QuantizeLinear", [source, *self._parameters(grid_of or name)], f"{name}/quantised")

    def _dequantise(self, name: str, grid_of: str | None = None) -> None:
        self.add("DequantizeLinear", [f"{name}/quantised", *self._parameters(grid_of or name)], f"{name}/float")

    def _parameters(self, name: str, dtype: str | None = None) -> list[str]:
        """Store the grid of a tensor, of the activations' type or another; return the names of its scale and zero."""
        grid, dtype = self._grid(name), dtype or self.activations
        zero = np.array(grid.zero_point + (128 if dtype == "uint8" else 0), dtype)
        scale = self.constant(f"{name}/scale", np.array(grid.scale, np.float32))
        return [scale, self.constant(f"zero/{dtype}/{zero}", zero)]


def _channels_first(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1, shape[2], shape[0], shape[1]) if len(shape) == 3 else (1, *shape)


def _onnx_order(node: Node, weight: NDArray[Any] | Array) -> NDArray[Any]:
    if node.op == "conv":
        return np.transpose(weight, (3, 2, 0, 1))
    if node.op == "depthwise":
        return np.transpose(weight, (2, 0, 1))[:, None]
    return np.transpose(weight)
