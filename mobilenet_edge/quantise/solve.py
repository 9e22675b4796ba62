"""Quantise a folded graph layer by layer, each layer on the outputs of the integer layers before it."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from mobilenet_edge.errors import BuildError
from mobilenet_edge.graph import Array, Graph, Node
from mobilenet_edge.graph.run import activate, compute, linear
from mobilenet_edge.quantise import SOFTMAX_GRID, Grid, QuantisedGraph, Weights, rounding
from mobilenet_edge.quantise.moments import Moments, Wide, as_problems, as_weight, per_output

# Images in [-1, 1]. Steps of 1/128 put zero on the grid and keep the 256 pixel values apart, where 1/127.5 would put
# every pixel half-way between two steps.
INPUT_GRID = Grid(1 / 128, 0)


@dataclass(frozen=True)
class Options:
    """How hard to try.

    Attributes:
        samples: Rows of a layer's inputs that its moments are taken from, about.
        ridge: How firmly the refit holds to the float weights.
        damping: Share of the mean variance added before rounding.
    """

    samples: int = 20_000
    ridge: float = 0.05
    damping: float = 0.01


@dataclass
class _Flow:
    """Some images on their way through the float graph and, beside it, the integer one."""

    real: dict[str, Array]
    integer: dict[str, Array]
    output: Array = field(default_factory=lambda: np.empty(0, np.float32))

    def run_float(self, node: Node) -> tuple[float, float]:
        """Compute the node before its activation; return the range of what the activation leaves."""
        self.output = linear(node, [self.real[name] for name in node.inputs])
        low, high = float(self.output.min()), float(self.output.max())
        return {"linear": (low, high), "relu": (0.0, high), "relu6": (0.0, min(high, 6.0))}[node.activation]

    def moments(self, node: Node, step: int) -> Moments:
        """Of the integer inputs and the float outputs."""
        return Moments.of(node, self.integer[node.inputs[0]], self.output, step)

    def advance(self, node: Node, integer: Node, grid: Grid) -> None:
        """Store both outputs."""
        inputs = [self.integer[name] for name in node.inputs]
        self.real[node.name] = activate(self.output, node.activation)
        self.integer[node.name] = grid.round(compute(integer, inputs))

    def forget(self, names: set[str]) -> None:
        """Drop tensors that no later node reads."""
        for name in names:
            self.real.pop(name), self.integer.pop(name)


def solve(graph: Graph, images: Array, options: Options, on_layer: Callable[[], None] = lambda: None) -> QuantisedGraph:
    """Quantise a graph.

    Args:
        graph: The folded graph.
        images: Calibration images, preprocessed, float32 (n, h, w, c).
        options: How hard to try.
        on_layer: Called after each node.

    Raises:
        BuildError: A layer's outputs on these images are not finite.
    """
    grids, weights = {graph.input: INPUT_GRID}, {}
    last = {name: node.name for node in graph.nodes for name in node.inputs}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        flows = [
            _Flow({graph.input: part}, {graph.input: INPUT_GRID.round(part)})
            for part in np.array_split(images, -(-len(images) // 10))
        ]
        for node in graph.nodes:
            ranges = list(pool.map(lambda flow, node=node: flow.run_float(node), flows))
            grid = grids[node.name] = _grid(node, ranges)
            integer = node
            if node.weight is not None:
                rows = int(np.prod(node.shape[:-1])) * len(images)
                step = max(1, rows // options.samples)
                parts = pool.map(lambda flow, node=node, step=step: flow.moments(node, step), flows)
                source = grids[node.inputs[0]]
                weights[node.name] = made = _weights(node, Moments.sum(parts), source, options)
                integer = made.dequantised(node, source)
            done = {name for name in node.inputs if last[name] == node.name}
            list(
                pool.map(lambda flow, n=node, i=integer, g=grid, d=done: (flow.advance(n, i, g), flow.forget(d)), flows)
            )
            on_layer()
    return QuantisedGraph(graph, grids, weights)


def _grid(node: Node, ranges: list[tuple[float, float]]) -> Grid:
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    if not np.isfinite([low, high]).all():
        raise BuildError(f"layer {node.name!r} gives NaN or infinity on the calibration images; check the weights")
    return SOFTMAX_GRID if node.op == "softmax" else Grid.spanning(low, high)


def _weights(node: Node, moments: Moments, source: Grid, options: Options) -> Weights:
    covariance = moments.covariance
    wanted = rounding.refit(as_problems(node, node.kernel), covariance, moments.cross, options.ridge)
    damped = rounding.damped(covariance, options.damping)
    # Depthwise kernels do not use the instruction that pairs are about.
    pairs = node.op != "depthwise"
    scale = rounding.full_range(wanted, pairs)
    scale = np.maximum(scale, _least_scale(moments.mean_y, scale, source)).astype(np.float32).astype(np.float64)
    made = rounding.integers(wanted, damped, scale, pairs)
    # What rounding did to the mean is put right by the bias.
    bias = moments.mean_y - ((made * scale[:, None]) * moments.mean_x[:, :, None]).sum(axis=1)
    step = scale * source.scale
    return Weights(
        as_weight(node, made).astype(np.int8),
        per_output(node, scale).astype(np.float32),
        np.rint(per_output(node, bias / step)).astype(np.int32),
    )


def _least_scale(mean: Wide, scale: Wide, source: Grid) -> Wide:
    """The finest scale an output may have: its bias must fit int32, and no scale vanish beside its neighbours'."""
    return np.asarray(np.maximum(np.abs(mean) / (source.scale * 2**28), scale.max() * 2**-16 + 2**-40))
