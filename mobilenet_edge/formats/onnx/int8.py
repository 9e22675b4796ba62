"""ONNX files of 8-bit integers in QDQ form, with the quantiser's own integers.

QDQ keeps each float operator and says with QuantizeLinear and DequantizeLinear on which grid its tensors lie; a runtime
with integer kernels fuses the three.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from mobilenet_edge.formats.onnx.writer import FloatWriter
from mobilenet_edge.graph import CLOSING, Node
from mobilenet_edge.quantise import QuantisedGraph, QuantParams

IO = Literal["float32", "int8", "uint8"]


class Int8Writer(FloatWriter):
    """Puts a QuantizeLinear and a DequantizeLinear on its grid behind each operator."""

    def __init__(self, quantised: QuantisedGraph, io: IO, activations: str) -> None:
        super().__init__(quantised.graph)
        self.quantised = quantised
        self._io = io
        self.activations = activations
        self.float_output = io == "float32" and self.graph.output.op in CLOSING

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
        if node is self.graph.output and self.float_output:
            self.operator(node, inputs, node.name)
            return
        # A ReLU's clipping is what its grid does anyway: it begins at zero and ends at 6, or 1, or below.
        self.operator(node, inputs, f"{node.name}/real")
        self._quantise(f"{node.name}/real", node.name)
        if node is self.graph.output and self.io != self.activations:
            self._dequantise(node.name)
            if self.io != "float32":
                leaving = [f"{node.name}/float", *self._parameters(node.name, self.io)]
                self.add("QuantizeLinear", leaving, self.output_name)

    def operator(self, node: Node, inputs: list[str], output: str) -> None:
        if node.op in ("hard_sigmoid", "hard_swish"):
            raise ValueError(f"{node.name} ({node.op}) has no integer kernel; quantise.lower replaces it")
        super().operator(node, inputs, output)

    def step(self, kind: str, node: Node, inputs: list[str], suffix: str, **attributes: Any) -> str:
        # Each operator stands between its own pair, or the runtime leaves it in float.
        name = f"{node.name}/{suffix}"
        self.add(kind, inputs, f"{name}/real", **attributes)
        return self._pair(f"{name}/real", name, node.name)

    def flatten(self, name: str) -> str:
        flat = f"{name}/flat"
        if not any(f"{flat}/float" in node.output for node in self.nodes):
            self.add("Flatten", [self.read(name)], f"{flat}/real")
            self._pair(f"{flat}/real", flat, name)
        return f"{flat}/float"

    def weight(self, node: Node) -> str:
        made = self.quantised.weights[node.name]
        name = f"{node.name}/w"
        parts = [
            self.constant(name, self.order(node, made.integers)),
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

    def _grid(self, name: str) -> QuantParams:
        return self.quantised.grids[name]

    def _pair(self, source: str, name: str, grid_of: str) -> str:
        self._quantise(source, name, grid_of)
        self._dequantise(name, grid_of)
        return f"{name}/float"

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
