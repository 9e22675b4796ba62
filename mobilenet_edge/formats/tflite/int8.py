"""Full-integer TFLite files with the quantiser's own integers."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np

from mobilenet_edge.formats.tflite.unit import units
from mobilenet_edge.formats.tflite.writer import RELU, FloatWriter, tflite_order
from mobilenet_edge.graph import Array, Node
from mobilenet_edge.quantise import QuantisedGraph

IO = Literal["float32", "int8", "uint8"]
# The versions of the kernels that take int8 (1 is float).
_VERSIONS: Final = {
    "CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "RESHAPE": 1, "ADD": 2, "CONCATENATION": 2, "MEAN": 2, "REDUCE_MAX": 2,
    "AVERAGE_POOL_2D": 2, "MAX_POOL_2D": 2, "LOGISTIC": 2, "SOFTMAX": 2, "PAD": 2, "PADV2": 2,
}  # fmt: skip


class Int8Writer(FloatWriter):
    """Writes int8 tensors on the quantiser's grids, and float32 or uint8 at the ends where asked."""

    def __init__(self, quantised: QuantisedGraph, io: IO, compact: bool = False) -> None:
        super().__init__(quantised.graph)
        self.quantised = quantised
        self.io = io
        self.units = units(quantised) if compact else dict.fromkeys(quantised.grids, 1.0)

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
        integers = tflite_order(node, self.quantised.weights[node.name].integers)
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

    def number(self, name: str, value: float, like: str) -> int:
        grid = self.quantised.grids[like]
        integer = grid.quantise(np.array(value, np.float32))
        return self.file.tensor(name, (), "int8", integer, [self._scale(like)], grid.zero_point)

    def dense(self, node: Node) -> None:
        # FULLY_CONNECTED learned of a scale a channel after the Edge TPU's compiler was last built; CONV_2D always had
        # it, gives the same integers and takes the same time.
        self.convolution("CONV_2D", node)

    def concat(self, node: Node, inputs: list[int], column: bool) -> None:
        shapes = [(1, 1, *shape) if column else shape for shape in map(self.graph.shape, node.inputs)]
        for place, (name, shape) in enumerate(zip(node.inputs, shapes, strict=True)):
            # The kernel copies: what lies on another grid is moved to the output's first.
            if self.quantised.grids[name] != self.quantised.grids[node.name]:
                moved = self.activation(f"{node.name}/{place}", shape, node.name)
                self.operator("QUANTIZE", [inputs[place]], moved, 2)
                inputs[place] = moved
        super().concat(node, inputs, column)

    def hard_sigmoid(self, node: Node) -> None:
        raise ValueError(f"{node.name} ({node.op}) has no integer kernel; quantise.lower replaces it")

    hard_swish = hard_sigmoid

    def limit(self, node: Node) -> None:
        """Add nothing: the grid of a ReLU1 ends at 1."""

    def fused(self, node: Node) -> int:
        # Counted in steps, 6 is no longer 6: there the grid's own end does the clipping.
        in_steps = node.activation == "relu6" and self.units[node.name] != 1
        return RELU if in_steps else super().fused(node)

    def operator(self, code: str, inputs: list[int], output: int, version: int | None = None, **values: Any) -> None:
        super().operator(code, inputs, output, version or _VERSIONS[code], **values)

    def elementwise(self, code: str, node: Node, inputs: list[int], column: bool) -> None:
        # Version 2 of MUL multiplies the product by less than 1.
        scales = [self.quantised.grids[name].scale for name in (*node.inputs, node.name)]
        version = 3 if code == "MUL" and scales[0] * scales[1] >= scales[2] else 2
        self.operator(code, inputs, self.output(node, column), version, FusedActivationFunction=self.fused(node))

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
