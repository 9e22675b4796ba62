"""Quantise a folded graph layer by layer, each layer on the outputs of the integer layers before it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Final

import numpy as np

from mobilenet_edge.errors import BuildError, MissingExtraError
from mobilenet_edge.graph import Array, Graph, Node
from mobilenet_edge.graph.run import activate, compute, linear
from mobilenet_edge.quantise import SOFTMAX_GRID, Grid, QuantisedGraph, Weights, rounding
from mobilenet_edge.quantise.moments import Moments, Wide, as_problems, as_weight, per_output

# Images in [-1, 1]. Steps of 1/128 put zero on the grid and keep the 256 pixel values apart, where 1/127.5 would put
# every pixel half-way between two steps.
INPUT_GRID: Final = Grid(1 / 128, 0)
# Images that go through a layer at once: their activations stay near the cache.
_TOGETHER: Final = 10


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

    def step(self, node: Node, images: int) -> int:
        """Take one of so many rows. The nine weights of a depthwise filter need fewer than the hundreds of others."""
        samples = self.samples // 4 if node.op == "depthwise" else self.samples
        return max(1, math.prod(node.shape[:-1]) * images // samples)


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


@dataclass(frozen=True, eq=False)
class Solution:
    """A quantised graph, and what the float graph gave for the calibration images on the way.

    Attributes:
        quantised: The integers.
        outputs: Of the float graph (n, ...).
        logits: Before its closing softmax, or the outputs (n, ...).
    """

    quantised: QuantisedGraph
    outputs: Array
    logits: Array


def solve(graph: Graph, images: Array, options: Options, on_layer: Callable[[], None] = lambda: None) -> Solution:
    """Quantise a graph.

    Args:
        graph: The folded graph.
        images: Calibration images, preprocessed, float32 (n, h, w, c).
        options: How hard to try.
        on_layer: Called after each node.

    Raises:
        BuildError: A layer's outputs on these images are not finite.
        MissingExtraError: threadpoolctl is not installed.
    """
    grids, weights = {graph.input: INPUT_GRID}, {}
    kept = {graph.logits, graph.output.name}
    last = {name: node.name for node in graph.nodes for name in node.inputs if name not in kept}
    flows = [
        _Flow({graph.input: part}, {graph.input: INPUT_GRID.round(part)})
        for part in np.array_split(images, -(-len(images) // _TOGETHER))
    ]
    # The flows are the threads; a matrix product that starts more of its own makes all of them wait.
    with _single_threaded_products(), ThreadPoolExecutor(os.cpu_count()) as pool:
        for node in graph.nodes:
            ranges = list(pool.map(_Flow.run_float, flows, repeat(node)))
            grids[node.name] = _grid(node, ranges)
            integer = node
            if node.weight is not None:
                step = options.step(node, len(images))
                moments = Moments.sum(pool.map(_Flow.moments, flows, repeat(node), repeat(step)))
                source = grids[node.inputs[0]]
                weights[node.name] = _weights(node, moments, source, options)
                integer = weights[node.name].dequantised(node, source)
            list(pool.map(_Flow.advance, flows, repeat(node), repeat(integer), repeat(grids[node.name])))
            done = {name for name in node.inputs if last.get(name) == node.name}
            for flow in flows:
                flow.forget(done)
            on_layer()
    outputs, logits = (
        np.concatenate([flow.real[name] for flow in flows]) for name in (graph.output.name, graph.logits)
    )
    return Solution(QuantisedGraph(graph, grids, weights), outputs, logits)


def _single_threaded_products() -> AbstractContextManager[Any]:
    try:
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise MissingExtraError("quantising needs threadpoolctl", "build") from error
    limits: AbstractContextManager[Any] = threadpool_limits(1, "blas")
    return limits


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
