"""A walk over the folded graph that puts one or a few ONNX operators for each node.

The layout is ONNX's own, (1, channels, height, width).
"""

from __future__ import annotations

from functools import partial
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.errors import MissingExtraError
from mobilenet_edge.formats.onnx import opset
from mobilenet_edge.graph import Array, Graph, Node, bounds


class FloatWriter:
    """Writes float32; the other writers exchange how a tensor is read, stored and made.

    A vector (c,) is a tensor (1, c), or where it leads to a product or sum with a map a "column" (1, c, 1, 1).
    """

    def __init__(self, graph: Graph) -> None:
        try:
            import onnx
        except ImportError as error:
            raise MissingExtraError("writing .onnx files needs the onnx package", "export") from error
        self.onnx = onnx
        self.graph = graph
        self.columns = _columns(graph)
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def write(self) -> bytes:
        helper, graph = self.onnx.helper, self.graph
        first, last = self.enter(), self.output_name
        self.walk()
        made = helper.make_graph(
            self.nodes,
            graph.name,
            [self._value(first, _channels_first(self.input_shape))],
            [self._value(last, _channels_first(graph.output.shape))],
            list(self.constants.values()),
        )
        version = opset.needed(node.op_type for node in self.nodes)
        model = helper.make_model(
            made,
            opset_imports=[helper.make_opsetid("", version)],
            ir_version=opset.IR_VERSIONS[version],
            producer_name="mobilenet-edge",
        )
        self.onnx.checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))

    def walk(self) -> None:
        """Add the operators of all nodes."""
        for node in self.graph.nodes:
            self.make(node, self._inputs(node))

    @property
    def io(self) -> str:
        return "float32"

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.graph.input_shape

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
        linear = node.name if node.activation == "linear" else f"{node.name}/linear"
        self.operator(node, inputs, linear)
        match node.activation:
            case "linear":
                pass
            case "relu":
                self.add("Relu", [linear], node.name)
            case "relu6" | "relu1":
                ends = zip(("low", "high"), bounds(node.activation), strict=True)
                limits = [self.constant(f"{node.activation}/{name}", np.float32(value)) for name, value in ends]
                self.add("Clip", [linear, *limits], node.name)
            case _:
                assert_never(node.activation)

    def operator(self, node: Node, inputs: list[str], output: str) -> None:
        """Add a node's own operators, without its activation."""
        match node.op:
            case "conv" | "depthwise":
                groups = {"group": node.shape[-1]} if node.op == "depthwise" and node.shape[-1] > 1 else {}
                add = self.add if len(node.shape) == 3 else partial(self._reduce, node)
                add("Conv", [*inputs, self.weight(node), self.bias(node)], output, **groups, **_window(node))
            case "dense":
                kind, attributes = ("Conv", {}) if node.name in self.columns else ("Gemm", {"transB": 1})
                self.add(kind, [*inputs, self.weight(node), self.bias(node)], output, **attributes)
            case "add":
                self.add("Add", inputs, output)
            case "multiply":
                self.add("Mul", inputs, output)
            case "concat":
                self.add("Concat", inputs, output, axis=1)
            case "mean":
                self._reduce(node, "GlobalAveragePool", inputs, output)
            case "max":
                # onnxruntime has MaxPool for integers, and GlobalMaxPool not.
                self._reduce(node, "MaxPool", inputs, output, kernel_shape=self.graph.shape(node.inputs[0])[:2])
            case "average_pool":
                self.add("AveragePool", inputs, output, kernel_shape=node.window, **_window(node))
            case "max_pool":
                self.add("MaxPool", inputs, output, kernel_shape=node.window, **_window(node))
            case "sigmoid":
                self.add("Sigmoid", inputs, output)
            case "hard_sigmoid":
                self.add("HardSigmoid", inputs, output, alpha=1 / 6, beta=0.5)
            case "hard_swish":
                # HardSwish would ask for opset 14, and onnxruntime takes it apart into these.
                gate = self.step("HardSigmoid", node, inputs, "gate", alpha=1 / 6, beta=0.5)
                self.add("Mul", [*inputs, gate], output)
            case "softmax":
                self.add("Softmax", inputs, output, axis=1)
            case _:
                assert_never(node.op)

    def step(self, kind: str, node: Node, inputs: list[str], suffix: str, **attributes: Any) -> str:
        """Add an operator inside a node; return the name of the float tensor that the next one reads."""
        self.add(kind, inputs, f"{node.name}/{suffix}", **attributes)
        return f"{node.name}/{suffix}"

    def flatten(self, name: str) -> str:
        """Return the name of a column as a float tensor (1, c)."""
        if not any(f"{name}/flat" in node.output for node in self.nodes):
            self.add("Flatten", [self.read(name)], f"{name}/flat")
        return f"{name}/flat"

    def weight(self, node: Node) -> str:
        """Store a weight; return the name of the tensor that holds it as float."""
        return self.constant(f"{node.name}/w", self.order(node, node.kernel))

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

    def order(self, node: Node, weight: NDArray[Any] | Array) -> NDArray[Any]:
        """Return a weight with its axes as ONNX has them: the output channels first."""
        if node.op == "conv":
            return np.transpose(weight, (3, 2, 0, 1))
        if node.op == "depthwise":
            return np.transpose(weight, (2, 0, 1))[:, None]
        matrix = np.transpose(weight)
        return matrix[..., None, None] if node.name in self.columns else matrix

    def _inputs(self, node: Node) -> list[str]:
        flat = len(node.shape) == 1 and node.name not in self.columns and node.op != "depthwise"
        return [self.flatten(name) if flat and name in self.columns else self.read(name) for name in node.inputs]

    def _reduce(self, node: Node, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        """Add an operator that gives a column, and make a vector of it where nothing reads a column."""
        if node.name in self.columns:
            self.add(kind, inputs, output, **attributes)
        else:
            self.add("Flatten", [self.step(kind, node, inputs, "map", **attributes)], output)

    def _value(self, name: str, shape: tuple[int, ...]) -> Any:
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(self.io))
        return self.onnx.helper.make_tensor_value_info(name, kind, shape)


def _columns(graph: Graph) -> frozenset[str]:
    """Return the vectors that lead to a product or sum with a map, or to a layer that scales a vector."""
    found: set[str] = set()
    for node in reversed(graph.nodes):
        if len(node.shape) == 3 or node.op == "depthwise" or node.name in found:
            found |= {name for name in node.inputs if len(graph.shape(name)) == 1}
    return frozenset(found)


def _window(node: Node) -> dict[str, Any]:
    """Return the attributes of a stride and a padding; at their defaults they are left out, as they would be read."""
    (top, bottom), (left, right) = node.padding
    given: dict[str, Any] = {"strides": [node.stride] * 2} if node.stride > 1 else {}
    return given | ({"pads": [top, left, bottom, right]} if any((top, left, bottom, right)) else {})


def _channels_first(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1, shape[2], shape[0], shape[1]) if len(shape) == 3 else (1, *shape)
