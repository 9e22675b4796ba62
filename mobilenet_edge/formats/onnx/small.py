"""ONNX files of float16 or int8 weights that become float32 when the file is opened."""

from __future__ import annotations

from collections.abc import Mapping

from mobilenet_edge.formats.onnx.writer import FloatWriter
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise.weights import Rounded, half


class SmallWriter(FloatWriter):
    """Stores weights in fewer bits; onnxruntime computes the float32 ones once, when the file is opened.

    It folds Cast and Mul of constants, but leaves a DequantizeLinear to every inference, which takes 2.6 times as long.
    """

    def __init__(self, graph: Graph, weights: Mapping[str, Rounded]) -> None:
        super().__init__(graph)
        self.weights = weights

    def weight(self, node: Node) -> str:
        name = f"{node.name}/w"
        if node.name not in self.weights:
            return self._cast(self.constant(name, self.order(node, half(node))), f"{name}/float")
        made = self.weights[node.name]
        integers = self.order(node, made.integers)
        steps = self._cast(self.constant(name, integers), f"{name}/steps")
        scales = self.constant(f"{name}/scale", made.scales.reshape(-1, *[1] * (integers.ndim - 1)))
        self.add("Mul", [steps, scales], f"{name}/float")
        return f"{name}/float"

    def _cast(self, source: str, output: str) -> str:
        self.add("Cast", [source], output, to=self.onnx.TensorProto.FLOAT)
        return output
