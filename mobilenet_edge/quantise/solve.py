"""Quantise a folded graph layer by layer, each layer on the outputs of the integer layers before it.

scripts/bench_ablation.py measures what each step is worth. Tried and left out, because it did not help on pictures that
did not calibrate (0.25/224, Keras's weights):

- channel scales below the full range, or the one of ten with the smallest rounding error (-0.02 dB), or scales that
  ignore the 16-bit limit, which rounding then keeps (-7 dB and more);
- coordinate descent after error feedback, least squares on unclipped outputs alone, percentile ranges, and equalising
  all layers (-0.2 dB); ranges of the early channels cut by a twentieth (-2 dB) or without their margins (-0.05 dB);
- other ridges and dampings, by a factor of 2 to 5 either way (-0.1 to +0.07 dB), with 400 pictures too (-0.2 dB);
- normal equations that do not shrink weights for the noise of their inputs (float inputs as instruments, -0.05 dB), and
  least squares on means of 4 or 16 pixels or of the whole image beside those of single pixels (0 to -0.35 dB);
- samples weighted by the squared derivatives of the logits there (-0.1 dB), five times the samples (+0.1 dB), ten views
  of each picture instead of four (-0.2 dB), and counting more channels as idle, up to a tenth of a deviation (none is);
- fine-tuning all layers from the third block on towards the float softmax (straight-through estimator, Adam, 300 steps
  of 16 views): at 0.02 integer steps per update it halved the divergence on the calibration pictures and raised it on
  others by an eighth, at 0.004 it changed nothing.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.errors import BuildError
from mobilenet_edge.graph import Array, Graph, Node
from mobilenet_edge.graph.run import TOGETHER
from mobilenet_edge.graph.threads import workers
from mobilenet_edge.quantise import QuantisedGraph, QuantParams, Weights, channels, grids, rounding
from mobilenet_edge.quantise.augment import augment, independent
from mobilenet_edge.quantise.engine import REFERENCE, Engine
from mobilenet_edge.quantise.frontier import Frontier
from mobilenet_edge.quantise.lower import fuse, lower
from mobilenet_edge.quantise.moments import Moments, Wide, as_problems, as_weight, per_output
from mobilenet_edge.quantise.observe import Observation
from mobilenet_edge.quantise.pairing import pair
from mobilenet_edge.quantise.places import Places, windows
from mobilenet_edge.quantise.widen import widen

# Images in [-1, 1]. Steps of 1/128 put zero on the grid and keep the 256 pixel values apart, where 1/127.5 would put
# every pixel half-way between two steps.
INPUT_GRID: Final = QuantParams(1 / 128, 0)
# Weights of a layer from which on a second thread gains more than it costs.
_LARGE: Final = 1 << 17


@dataclass(frozen=True)
class Options:
    """How hard to try.

    Attributes:
        samples: Pixels of a layer that its moments are taken from, at least.
        ridge: How firmly the refit holds to the float weights: times inputs per independent sample, and at least so.
        damping: Share of the variances added before rounding: likewise.
        looked_at: Images that show the ranges of early channels.
        width: Channels of the first convolution, at least; what is appended holds copies.
        views: Of each image, itself included.
        pairs: Keep sums of two products within 16 bits, as x86 without VNNI needs.
        margin: How much further than on the calibration images the values of a tensor may go.
    """

    samples: int = 12_000
    ridge: tuple[float, float] = (16.0, 0.2)
    damping: tuple[float, float] = (1.0, 0.01)
    looked_at: int = 100
    width: int = 0
    views: int = 1
    pairs: bool = True
    margin: float = 1.0

    def regularisation(self, node: Node, images: float) -> tuple[float, float]:
        """Ridge and damping of a layer.

        Deep layers have hundreds of inputs and few places, which are alike within an image: 100 images then say less
        than the layer has weights, and a solution that trusts them fits the images and not the model. Neighbouring
        places count as their square root.
        """
        inputs = math.prod(node.kernel.shape[:-1])
        samples = images * math.prod(node.shape[:-1]) ** 0.5
        ridge, damping = (max(least, factor * inputs / samples) for factor, least in (self.ridge, self.damping))
        return ridge, damping

    def places(self, node: Node, images: int) -> Places:
        """Sample a layer. The nine weights of a depthwise filter need fewer than the hundreds of others."""
        return Places.choose(node, images, self.samples // 4 if node.op == "depthwise" else self.samples)


# "best" takes longer, for what is left to gain: docs/quantisation.md.
EFFORTS: Final = {"fast": Options(), "best": Options(samples=60_000, width=16, views=4)}


def solve(
    graph: Graph,
    images: Array,
    options: Options,
    on_layer: Callable[[], None] = lambda: None,
    entry: QuantParams = INPUT_GRID,
    engine: Engine = REFERENCE,
) -> QuantisedGraph:
    """Quantise a graph.

    Args:
        graph: The folded graph.
        images: Calibration images, preprocessed, float32 (n, h, w, c).
        options: How hard to try.
        on_layer: Called after each node.
        entry: Of the input.
        engine: What computes.

    Raises:
        BuildError: A layer's outputs on these images are not finite.
        MissingExtraError: threadpoolctl is not installed.
    """
    graph = channels.prepare(widen(fuse(graph), options.width), images[: options.looked_at], entry, engine)
    graph = pair(graph) if options.pairs else graph
    pictures = len(images)
    images = augment(images, options.views)
    batches = np.array_split(images, -(-len(images) // TOGETHER))
    places = {node.name: options.places(node, len(images)) for node in graph.weighted()}
    if graph.output.op == "softmax":
        places[graph.logits] = Places.choose(graph[graph.logits], len(images), sys.maxsize)
    observed = engine.observe(graph, images, places)
    known, weights = {graph.input: entry}, {}
    frontier = Frontier(graph, batches, entry, engine)
    with workers() as pool:
        for node in graph.nodes:
            seen = observed.pop(node.name)
            low, high = grids.limits(graph, node, *(options.margin * end for end in _range(node, seen)))
            if node.name == graph.logits and graph.output.op == "softmax":
                low = max(low, _least_logit(seen.pixels))
            known[node.name] = grids.choose(node, low, high, [known[name] for name in node.inputs])
            if node.weight is not None:
                source = known[node.inputs[0]]
                moments = _moments(pool, frontier, node, source, seen, places[node.name])
                ridge, damping = options.regularisation(node, independent(pictures, len(images)))
                weights[node.name] = _weights(pool, node, moments, source, ridge, damping, options.pairs)
            frontier.push(node, known[node.name], weights.get(node.name))
            on_layer()
    return lower(QuantisedGraph(graph, known, weights))


def _moments(
    pool: Executor, frontier: Frontier, node: Node, source: QuantParams, seen: Observation, places: Places
) -> Moments:
    """Of the integer inputs and the float outputs at some places."""
    stops = list(accumulate(frontier.counts, initial=0))

    def batch(index: int) -> Moments:
        (values,) = frontier.inputs(node, index)
        pixels = seen.pixels[places.count * stops[index] : places.count * stops[index + 1]]
        return Moments.of(node, windows(node, values, source.zero_point, places), pixels)

    moments = Moments.sum(pool.map(batch, range(len(frontier.counts))))
    frontier.settle()
    return moments.as_reals(source)


def _range(node: Node, seen: Observation) -> tuple[float, float]:
    """Return the least and the greatest value.

    Raises:
        BuildError: They are not finite.
    """
    if not seen.finite:
        raise BuildError(f"layer {node.name!r} gives NaN or infinity on the calibration images; check the weights")
    return seen.low, seen.high


def _least_logit(logits: Array) -> float:
    """Where logits (n, classes) may be cut off from below, for finer steps above.

    On the least certain image, all classes together would hold a hundredth of the softmax if all of them were there.
    """
    highest = logits.max(axis=1)
    rest = np.exp(logits - highest[:, None]).sum(axis=1)
    return float((highest + np.log(rest)).min() + math.log(0.01 / logits.shape[1]))


def _weights(
    pool: Executor, node: Node, moments: Moments, source: QuantParams, ridge: float, damping: float, pairs: bool
) -> Weights:
    covariance, cross, weight = moments.covariance, moments.cross, as_problems(node, node.kernel)
    # Outputs do not see each other. Where there are many, two threads have half of them each.
    parts = np.array_split(np.arange(weight.shape[2]), 2 if weight.size >= _LARGE else 1)

    def in_parts(solve: Callable[[NDArray[np.intp]], Wide]) -> Wide:
        return np.concatenate(list(pool.map(solve, parts)), axis=2)

    wanted = in_parts(lambda some: rounding.refit(weight[..., some], covariance, cross[..., some], ridge))
    # Depthwise kernels do not use the instruction that pairs are about.
    pairs = pairs and node.op != "depthwise"
    scale = rounding.full_range(wanted, pairs)
    scale = np.maximum(scale, _least_scale(moments.mean_y, scale, source)).astype(np.float32).astype(np.float64)
    damped = rounding.damped(covariance, damping)
    made = in_parts(lambda some: rounding.integers(wanted[..., some], damped, scale[:, some], pairs))
    # What rounding did to the mean is put right by the bias.
    bias = moments.mean_y - ((made * scale[:, None]) * moments.mean_x[:, :, None]).sum(axis=1)
    step = scale * source.scale
    return Weights(
        as_weight(node, made).astype(np.int8),
        per_output(node, scale).astype(np.float32),
        np.rint(per_output(node, bias / step)).astype(np.int32),
    )


def _least_scale(mean: Wide, scale: Wide, source: QuantParams) -> Wide:
    """The finest scale an output may have: its bias must fit int32, and no scale vanish beside its neighbours'."""
    return np.asarray(np.maximum(np.abs(mean) / (source.scale * 2**28), scale.max() * 2**-16 + 2**-40))
