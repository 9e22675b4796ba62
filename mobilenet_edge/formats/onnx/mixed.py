"""ONNX files whose first layers are float32 and whose others are 8-bit integers in QDQ form."""

from __future__ import annotations

from mobilenet_edge.formats.onnx.int8 import Int8Writer
from mobilenet_edge.formats.onnx.writer import FloatWriter
from mobilenet_edge.quantise.partition import MixedGraph


class MixedWriter(Int8Writer):
    """Writes float operators, and from the QuantizeLinear of their output on what an int8 file has."""

    def __init__(self, mixed: MixedGraph, activations: str) -> None:
        super().__init__(mixed.rest, "float32", activations)
        self.front = FloatWriter(mixed.front)
        self.front.nodes, self.front.constants = self.nodes, self.constants

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.front.input_shape

    def enter(self) -> str:
        self.front.walk()
        super().enter()
        return self.front.enter()
