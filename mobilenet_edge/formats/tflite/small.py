"""TFLite files of float16 or int8 weights that become float32 when the file is opened.

TFLite's hybrid kernels, which quantise the activations at every inference and multiply integers, would lose more and
are slower on x86, see docs/quantisation.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from mobilenet_edge.formats.tflite.writer import FloatWriter, tflite_order
from mobilenet_edge.graph import Array, Graph, Node
from mobilenet_edge.quantise.weights import Rounded, half


class SmallWriter(FloatWriter):
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
        value, name = tflite_order(node, stored), f"{node.name}/w"
        axis = 3 if node.op == "depthwise" else 0
        source = self.file.tensor(name, value.shape, str(value.dtype), value, scales, axis=axis)
        made = self.file.tensor(f"{name}/float", value.shape, "float32")
        self.operator("DEQUANTIZE", [source], made, version)
        return made
