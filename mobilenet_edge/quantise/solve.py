"""Quantise a folded graph layer by layer, each layer on the outputs of the integer layers before it."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Final

import numpy as np

from mobilenet_edge import cpus
from mobilenet_edge.errors import BuildError, MissingExtraError
from mobilenet_edge.graph import Array, Graph, Node
from mobilenet_edge.graph.run import TOGETHER, activate, compute, linear
from mobilenet_edge.quantise import Grid, QuantisedGraph, Weights, channels, grids, rounding
from mobilenet_edge.quantise.lower import fuse, lower
from mobilenet_edge.quantise.moments import Moments, Wide, as_problems, as_weight, per_output

# Images in [-1, 1]. Steps of 1/128 put zero on the grid and keep the 256 pixel values apart, where 1/127.5 would put
# every pixel half-way between two steps.
INPUT_GRID: Final = Grid(1 / 128, 0)


@dataclass(frozen=True)
class Options:
    """How hard to try.

    Attributes:
        samples: Rows of a layer's inputs that its moments are taken from, about.
        ridge: How firmly the refit holds to the float weights: times inputs per independent sample, and at least so.
        damping: Share of the variances added before rounding: likewise.
        looked_at: Images that show the ranges of early channels.
        pairs: Keep sums of two products within 16 bits, as x86 without VNNI needs.
    """

    samples: int = 12_000
    ridge: tuple[float, float] = (16.0, 0.2)
    damping: tuple[float, float] = (1.0, 0.01)
    looked_at: int = 40
    pairs: bool = True

    def regularisation(self, node: Node, images: int) -> tuple[float, float]:
        """Ridge and damping of a layer.

        Deep layers have hundreds of inputs and few places, which are alike within an image: 100 images then say less
        than the layer has weights, and a solution that trusts them fits the images and not the model. Neighbouring
        places count as their square root.
        """
        inputs = math.prod(node.kernel.shape[:-1])
        independent = images * math.prod(node.shape[:-1]) ** 0.5
        ridge, damping = (max(least, factor * inputs / independent) for factor, least in (self.ridge, self.damping))
        return ridge, damping

    def step(self, node: Node, images: int) -> int:
        """Take one of so many rows. The nine weights of a depthwise filter need fewer than the hundreds of others."""
        samples = self.samples // 4 if node.op == "depthwise" else self.samples
        return max(1, math.prod(node.shape[:-1]) * images // samples)


# "best" takes longer, for what is left to gain: docs/quantisation.md.
EFFORTS: Final = {"fast": Options(), "best": Options(samples=60_000, looked_at=100)}


@dataclass
class _Flow:
    """Some images on their way through the float graph and, beside it, the integer one."""

    real: dict[str, Array]
    integer: dict[str, Array]
    output: Array = field(default_factory=lambda: np.empty(0, np.float32))

    @np.errstate(over="ignore", invalid="ignore")  # `_range` finds what is not finite, and names the layer
    def run_float(self, node: Node) -> tuple[float, float]:
        """Compute the node before its activation; return the range."""
        self.output = linear(node, [self.real[name] for name in node.inputs])
        return float(self.output.min()), float(self.output.max())

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


def solve(
    graph: Graph,
    images: Array,
    options: Options,
    on_layer: Callable[[], None] = lambda: None,
    entry: Grid = INPUT_GRID,
) -> QuantisedGraph:
    """Quantise a graph.

    Args:
        graph: The folded graph.
        images: Calibration images, preprocessed, float32 (n, h, w, c).
        options: How hard to try.
        on_layer: Called after each node.
        entry: Of the input.

    Raises:
        BuildError: A layer's outputs on these images are not finite.
        MissingExtraError: threadpoolctl is not installed.
    """
    graph = channels.spread(fuse(graph), images[: options.looked_at])
    known, weights = {graph.input: entry}, {}
    last = {name: node.name for node in graph.nodes for name in node.inputs}
    flows = [
        _Flow({graph.input: part}, {graph.input: entry.round(part)})
        for part in np.array_split(images, -(-len(images) // TOGETHER))
    ]
    # The flows are the threads; a matrix product that starts more of its own makes all of them wait.
    with _single_threaded_products(), ThreadPoolExecutor(len(cpus.available())) as pool:
        for node in graph.nodes:
            ranges = list(pool.map(_Flow.run_float, flows, repeat(node)))
            low, high = grids.limits(graph, node, *_range(node, ranges))
            if node.name == graph.logits and graph.output.op == "softmax":
                low = max(low, _least_logit([flow.output for flow in flows]))
            known[node.name] = grids.choose(node, low, high, [known[name] for name in node.inputs])
            integer = node
            if node.weight is not None:
                step = options.step(node, len(images))
                moments = Moments.sum(pool.map(_Flow.moments, flows, repeat(node), repeat(step)))
                source = known[node.inputs[0]]
                ridge, damping = options.regularisation(node, len(images))
                weights[node.name] = _weights(node, moments, source, ridge, damping, options.pairs)
                integer = weights[node.name].dequantised(node, source)
            list(pool.map(_Flow.advance, flows, repeat(node), repeat(integer), repeat(known[node.name])))
            done = {name for name in node.inputs if last[name] == node.name}
            for flow in flows:
                flow.forget(done)
            on_layer()
    return lower(QuantisedGraph(graph, known, weights))


def _single_threaded_products() -> AbstractContextManager[Any]:
    try:
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise MissingExtraError("quantising needs threadpoolctl", "export") from error
    limits: AbstractContextManager[Any] = threadpool_limits(1, "blas")
    return limits


def _least_logit(parts: list[Array]) -> float:
    """Where logits (n, classes) may be cut off from below, for finer steps above.

    On the least certain image, all classes together would hold a hundredth of the softmax if all of them were there.
    """
    highest = np.concatenate([part.max(axis=1) for part in parts])
    rest = np.concatenate([np.exp(part - part.max(axis=1, keepdims=True)).sum(axis=1) for part in parts])
    return float((highest + np.log(rest)).min() + math.log(0.01 / parts[0].shape[1]))


def _range(node: Node, ranges: list[tuple[float, float]]) -> tuple[float, float]:
    """The values seen before the activation."""
    if not np.isfinite(ranges).all():
        raise BuildError(f"layer {node.name!r} gives NaN or infinity on the calibration images; check the weights")
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _weights(node: Node, moments: Moments, source: Grid, ridge: float, damping: float, pairs: bool) -> Weights:
    covariance = moments.covariance
    wanted = rounding.refit(as_problems(node, node.kernel), covariance, moments.cross, ridge)
    damped = rounding.damped(covariance, damping)
    # Depthwise kernels do not use the instruction that pairs are about.
    pairs = pairs and node.op != "depthwise"
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
