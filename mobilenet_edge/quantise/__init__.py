"""Integers for a folded graph: one calibration and one quantiser serve TFLite and ONNX alike."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.graph import Array, Graph, Node

LOW, HIGH = -128, 127


@dataclass(frozen=True)
class QuantParams:
    """Quantisation parameters of an int8 tensor: real = (integer - zero_point) * scale, integers from -128 to 127."""

    scale: float
    zero_point: int

    @classmethod
    def from_range(cls, low: float, high: float) -> QuantParams:
        """The grid that reaches from `low` to `high`; both are moved outwards so that zero is on it exactly.

        Raises:
            ValueError: The range is not finite.
        """
        if not np.isfinite([low, high]).all():
            raise ValueError(f"a range of [{low}, {high}] has no grid")
        low, high = min(low, 0.0), max(high, 0.0)
        scale = np.float32((high - low) / 255)
        if scale < np.finfo(np.float32).tiny:
            # Zero everywhere, or so small that XNNPACK takes its scale for zero: any grid holds it, and this one keeps
            # later divisions finite.
            scale = np.float32(1 / 255)
        return cls(float(scale), int(np.clip(np.rint(LOW - low / scale), LOW, HIGH)))

    @property
    def low(self) -> float:
        """The least value on the grid."""
        return (LOW - self.zero_point) * self.scale

    @property
    def high(self) -> float:
        """The greatest value on the grid."""
        return (HIGH - self.zero_point) * self.scale

    def quantise(self, x: Array) -> NDArray[np.int8]:
        """Round to the grid, saturating at its ends."""
        steps: Array = np.divide(x, np.float32(self.scale), dtype=np.float32)
        np.rint(steps, out=steps)
        steps += np.float32(self.zero_point)
        np.clip(steps, LOW, HIGH, out=steps)
        return steps.astype(np.int8)

    def reals(self, integers: NDArray[np.int8]) -> Array:
        """Return what integers stand for."""
        out: Array = np.subtract(integers, np.float32(self.zero_point), dtype=np.float32)
        out *= np.float32(self.scale)
        return out

    def round(self, x: Array) -> Array:
        """Round to the grid and return reals: what the next layer of an int8 model sees."""
        scale, zero = np.float32(self.scale), self.zero_point
        out: Array = np.divide(x, scale)
        np.rint(out, out=out)
        np.clip(out, LOW - zero, HIGH - zero, out=out)
        out *= scale
        return out


# Fixed by the integer kernels (TFLite's quantisation specification, "SOFTMAX" and "LOGISTIC").
SOFTMAX_GRID = QuantParams(1 / 256, -128)
# Of a hard sigmoid, which reaches 1.
UNIT_GRID = QuantParams.from_range(0, 1)


@dataclass(frozen=True, eq=False)
class Weights:
    """Integer weights of one node; real = integer * scale of its output channel.

    Attributes:
        integers: int8, in the shape of the node's weight; symmetric, -127 to 127.
        scales: float32 (out,).
        bias: int32 (out,), in steps of input scale times weight scale.
    """

    integers: NDArray[np.int8]
    scales: Array
    bias: NDArray[np.int32]

    def dequantised(self, node: Node, source: QuantParams) -> Node:
        """The node with the weight and bias that the integers stand for; `source` is the grid of its input."""
        step = self.scales * np.float32(source.scale)
        return replace(
            node,
            weight=np.asarray(self.integers * self.scales, np.float32),
            bias=np.asarray(self.bias * step, np.float32),
        )


@dataclass(frozen=True, eq=False)
class QuantisedGraph:
    """A folded graph with its integers.

    Attributes:
        graph: The float graph that was quantised; equalisation may have rescaled its channels.
        grids: Of every tensor, by name.
        weights: Of every weighted node, by name.
    """

    graph: Graph
    grids: dict[str, QuantParams]
    weights: dict[str, Weights]

    def dequantised(self) -> Graph:
        """The graph with the weights and biases that the integers stand for."""
        return self.graph.replace(
            {
                node.name: self.weights[node.name].dequantised(node, self.grids[node.inputs[0]])
                for node in self.graph.weighted()
            }
        )

    @property
    def least_logit(self) -> float:
        """The lowest logit that the grid holds: what lies below is cut off, where a closing op does not see it."""
        closed = self.graph.logits != self.graph.output.name
        return self.grids[self.graph.logits].low if closed else -math.inf

    def logits(self) -> QuantisedGraph:
        """The same integers without a closing softmax or sigmoid."""
        return replace(self, graph=self.graph.cut_at_logits())
