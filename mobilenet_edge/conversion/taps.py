"""ONNX models that show the inside of a graph: its tensors, their ranges, and integer layers one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from mobilenet_edge.formats.onnx import opset
from mobilenet_edge.formats.onnx.writer import FloatWriter
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise import QuantParams, Weights
from mobilenet_edge.quantise.places import Places

# Of what onnxruntime adds to ONNX's operators.
_OWN: Final = "com.microsoft"
# Pixels from one sample to the next from which on a convolution of the samples alone costs less than keeping the whole
# tensor before its activation, which a runtime would compute in one pass with it.
_FAR: Final = 4


class BatchWriter(FloatWriter):
    """Writes a model of a batch of any size and of any tensors as its outputs, `taps`."""

    def __init__(self, graph: Graph, taps: Sequence[str] = ()) -> None:
        super().__init__(graph)
        self.taps = list(taps)

    def write(self) -> bytes:
        """Return the model."""
        model = self.onnx.load_from_string(super().write())
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "n"
        del model.graph.output[:]
        kind = self.onnx.TensorProto.FLOAT
        model.graph.output.extend(self.onnx.helper.make_tensor_value_info(name, kind, None) for name in self.taps)
        return bytes(model.SerializeToString())

    def tap(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        """Add an operator whose output is one of the model's."""
        self.add(kind, inputs, output, **attributes)
        self.taps.append(output)


class ObservationWriter(BatchWriter):
    """Adds outputs: the extremes of each tensor, and its pixels at some places before the activation.

    Pools are used, since onnxruntime's own layout has them: other operators would convert whole tensors.
    """

    def __init__(self, graph: Graph, places: Mapping[str, Places]) -> None:
        super().__init__(graph)
        self.places = places

    def make(self, node: Node, inputs: list[str]) -> None:
        """Add a node and its taps."""
        super().make(node, inputs)
        linear = node.name if node.activation == "linear" else f"{node.name}/linear"
        if len(node.shape) != 3:
            self.tap("Identity", [linear], f"{node.name}/values")
            return
        self.tap("GlobalMaxPool", [node.name], f"{node.name}/high")
        if node.activation == "linear":
            self.add("Neg", [linear], f"{node.name}/negative")
            self.tap("GlobalMaxPool", [f"{node.name}/negative"], f"{node.name}/low")
        if node.name in self.places:
            self._pixels(node, inputs, linear, self.places[node.name].steps)

    def _pixels(self, node: Node, inputs: list[str], linear: str, steps: tuple[int, int]) -> None:
        planes = f"{node.name}/planes"
        if math.prod(steps) < _FAR:
            self.add("MaxPool", [linear], planes, kernel_shape=[1, 1], strides=steps)
        else:
            (top, bottom), (left, right) = node.padding
            self.add(
                "Conv",
                [*inputs, self.weight(node), self.bias(node)],
                planes,
                group=node.shape[-1] if node.op == "depthwise" else 1,
                strides=[step * node.stride for step in steps],
                pads=[top, left, bottom, right],
            )
        # Channels last costs the runtime least.
        self.tap("Transpose", [planes], f"{node.name}/pixels", perm=[0, 2, 3, 1])


def integer_layer(node: Node, source: QuantParams, target: QuantParams, weights: Weights) -> bytes:
    """Write a convolution of uint8 tensors (n, h, w, c), which count from 128 below the int8 grids.

    The weights are uint8 too: kernels for such pairs add in 32 bits on every CPU, and those for uint8 and int8 cut off
    sums on some (docs/quantisation.md).
    """
    import onnx

    helper = onnx.helper
    writer = FloatWriter(Graph(node.name, node.inputs[0], (1, 1, 1), (node,)))
    constants = {
        "x_scale": np.float32(source.scale),
        "x_zero": np.uint8(source.zero_point + 128),
        "w": writer.order(node, weights.integers.view(np.uint8) ^ np.uint8(128)),
        "w_scale": weights.scales,
        "w_zero": np.full(node.shape[-1], 128, np.uint8),
        "y_scale": np.float32(target.scale),
        "y_zero": np.uint8(target.zero_point + 128),
        "bias": weights.bias,
    }
    (top, bottom), (left, right) = node.padding
    layer = helper.make_node(
        "QLinearConv",
        ["x", *constants],
        ["y"],
        domain=_OWN,
        channels_last=1,
        group=node.shape[-1] if node.op == "depthwise" else 1,
        strides=[node.stride] * 2,
        pads=[top, left, bottom, right],
    )
    entry, leave = (
        helper.make_tensor_value_info(name, onnx.TensorProto.UINT8, ["n", None, None, None]) for name in ("x", "y")
    )
    initializers = [
        onnx.numpy_helper.from_array(np.asarray(value, order="C"), name) for name, value in constants.items()
    ]
    version = opset.needed(["Conv"])
    model = helper.make_model(
        helper.make_graph([layer], node.name, [entry], [leave], initializers),
        opset_imports=[helper.make_opsetid("", version), helper.make_opsetid(_OWN, 1)],
        ir_version=opset.IR_VERSIONS[version],
    )
    return bytes(model.SerializeToString())
