"""TFLite files whose first layers are float32 and whose others are int8."""

from __future__ import annotations

from mobilenet_edge.formats.tflite.int8 import Int8Writer
from mobilenet_edge.formats.tflite.writer import FloatWriter
from mobilenet_edge.quantise.partition import MixedGraph


class MixedWriter(Int8Writer):
    """Writes float operators, a QUANTIZE, int8 operators, a DEQUANTIZE, and a closing softmax or sigmoid in float."""

    def __init__(self, mixed: MixedGraph, compact: bool) -> None:
        super().__init__(mixed.rest.logits(), "float32", compact)
        self.front = FloatWriter(mixed.front, self.file)
        self.closing = mixed.closing

    def enter(self) -> int:
        first = self.front.enter()
        self.front.walk()
        name = self.graph.input
        self.index[name, False] = self.activation(f"{name}/quantised", self.graph.input_shape, name)
        self.operator("QUANTIZE", [self.front.leave()], self.index[name, False], 1)
        return first

    def leave(self) -> int:
        logits = super().leave()
        if self.closing is None:
            return logits
        closing = FloatWriter(self.closing, self.file)
        closing.index[self.closing.input, False] = logits
        closing.walk()
        return closing.leave()
