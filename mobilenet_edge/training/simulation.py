"""An integer network in TensorFlow, whose gradients pass through its rounding (arXiv:1712.05877, section 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.graph import NO_PADDING, Node, bounds
from mobilenet_edge.quantise import QuantisedGraph, QuantParams, Weights
from mobilenet_edge.quantise.rounding import MAX_WEIGHT, within_pairs

# Of a bias: what keeps every sum of a layer within int32.
_MAX_BIAS: Final = 2**30


class Simulation:
    """A quantised graph as TensorFlow computes it: weights, biases and activations are rounded as in the file.

    What learns are the weights, counted in steps of their scales, and the biases, in steps of their layer's output. The
    grids stay as they are.

    Args:
        quantised: Of `conv`, `depthwise`, `dense`, `add`, `mean` and `softmax`, the ops that `mnet train` makes.
        pairs: Whether sums of two products are kept within 16 bits.
    """

    def __init__(self, quantised: QuantisedGraph, *, pairs: bool) -> None:
        import tensorflow as tf

        self._tf = tf
        self._quantised = quantised
        self._pairs = pairs
        self._nodes = {node.name: node for node in quantised.graph.weighted()}
        weights, grids = quantised.weights, quantised.grids
        self._kernels = {name: tf.Variable(weights[name].integers.astype(np.float32)) for name in self._nodes}
        self._biases = {
            name: tf.Variable((weights[name].bias * self._step(node) / grids[name].scale).astype(np.float32))
            for name, node in self._nodes.items()
        }

    @property
    def variables(self) -> list[Any]:
        """What learns, as tf.Variables."""
        return [*self._kernels.values(), *self._biases.values()]

    def logits(self, images: Any) -> Any:
        """Compute the logits, a tensor (n, classes), of preprocessed images (n, height, width, channels)."""
        graph, grids = self._quantised.graph, self._quantised.grids
        values = {graph.input: self._on_grid(images, grids[graph.input])}
        for node in graph.cut_at_logits().nodes:
            value = self._compute(node, [values[name] for name in node.inputs])
            if node.activation != "linear":
                value = self._tf.clip_by_value(value, *bounds(node.activation))
            values[node.name] = self._on_grid(value, grids[node.name])
        return values[graph.logits]

    def settle(self) -> None:
        """Bring the weights back into the ranges that their integers may have."""
        for name, kernel in self._kernels.items():
            values = np.clip(kernel.numpy(), -MAX_WEIGHT, MAX_WEIGHT)
            # Depthwise kernels do not use the instruction that pairs are about.
            if self._pairs and self._nodes[name].op != "depthwise":
                rounded = np.rint(values)
                allowed = within_pairs(rounded)
                values = np.where(allowed == rounded, values, allowed)
            kernel.assign(values)

    def integers(self) -> QuantisedGraph:
        """Return the graph with the integers that the variables stand for."""
        self.settle()
        return replace(self._quantised, weights={name: self._rounded(node) for name, node in self._nodes.items()})

    def _rounded(self, node: Node) -> Weights:
        bias = self._biases[node.name].numpy().astype(np.float64) * self._quantised.grids[node.name].scale
        return Weights(
            np.rint(self._kernels[node.name].numpy()).astype(np.int8),
            self._quantised.weights[node.name].scales,
            np.clip(np.rint(bias / self._step(node)), -_MAX_BIAS, _MAX_BIAS).astype(np.int32),
        )

    def _step(self, node: Node) -> NDArray[np.float64]:
        """Return the unit of a layer's biases, (out,)."""
        scales = self._quantised.weights[node.name].scales.astype(np.float64)
        return np.asarray(scales * self._quantised.grids[node.inputs[0]].scale)

    def _compute(self, node: Node, inputs: list[Any]) -> Any:
        tf, x = self._tf, inputs[0]
        if node.op == "add":
            return inputs[0] + inputs[1]
        if node.op == "mean":
            return tf.reduce_mean(x, (1, 2))
        kernel = self._straight(self._kernels[node.name], tf.round) * self._quantised.weights[node.name].scales
        bias = self._biases[node.name] * np.float32(self._quantised.grids[node.name].scale)
        if node.padding != NO_PADDING:
            x = tf.pad(x, ((0, 0), *node.padding, (0, 0)))
        match node.op:
            case "conv":
                return tf.nn.conv2d(x, kernel, node.stride, "VALID") + bias
            case "depthwise" if len(node.shape) == 3:
                return tf.nn.depthwise_conv2d(x, kernel[..., None], (1, node.stride, node.stride, 1), "VALID") + bias
            case "dense":
                return x @ kernel + bias
        raise ValueError(f"{node.name} ({node.op}) is not an op that mnet train makes")

    def _on_grid(self, value: Any, grid: QuantParams) -> Any:
        """Round to a grid; gradients pass where nothing saturates."""
        inside = self._tf.clip_by_value(value, grid.low, grid.high)
        return self._straight(inside, lambda x: self._tf.round(x / grid.scale) * grid.scale)

    def _straight(self, value: Any, rounding: Any) -> Any:
        """Apply a rounding whose gradient is 1."""
        return value + self._tf.stop_gradient(rounding(value) - value)
