"""The quantiser's two passes in onnxruntime: the float graph with taps on every tensor, and integer layers one by one.

Every run has one thread, and the size of its batch is not that of the machine, so results do not depend on how many run
at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.conversion import taps
from mobilenet_edge.formats.onnx.loader import open_session
from mobilenet_edge.graph import Array, Graph, Node, bounds, run
from mobilenet_edge.graph.run import activate
from mobilenet_edge.graph.threads import workers
from mobilenet_edge.quantise import HIGH, LOW, QuantParams, Weights
from mobilenet_edge.quantise.engine import REFERENCE, Engine, Layer
from mobilenet_edge.quantise.observe import Observation
from mobilenet_edge.quantise.places import Places
from mobilenet_edge.quantise.stats import ChannelStats, front_of

# Images whose float outputs are numpy's own.
EXACT: Final = 4
# Images that the float graph runs on at once: the tensors of more do not stay in the cache.
_CACHED: Final = 2


def choose() -> Engine:
    """Take onnxruntime where it is installed, else numpy."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError:
        return REFERENCE
    return OrtEngine()


def outputs(graph: Graph, images: Array, names: Sequence[str]) -> list[Array]:
    """Run the float graph on images (n, h, w, c); return the named tensors, (n, ...) each.

    numpy computes the first `EXACT` images, which every float file is held to, and onnxruntime, if it is there, the
    others, for which a few millionths do not matter.
    """
    exact = run.outputs(graph, images[:EXACT], names)
    if len(images) <= EXACT or choose() is REFERENCE:
        return exact if len(images) <= EXACT else run.outputs(graph, images, names)
    session = open_session(taps.BatchWriter(graph, names).write())

    def compute(image: Array) -> list[Array]:
        results = session.run(None, {graph.input: _channels_first(image[None])})
        return [_as_in_graph(result, graph.shape(name)) for name, result in zip(names, results, strict=True)]

    with workers() as pool:
        rest = list(pool.map(compute, images[EXACT:]))
    return [np.concatenate(parts) for parts in zip(exact, *rest, strict=True)]


class OrtEngine:
    """Computes in onnxruntime; what it gives differs from numpy by the rounding of sums."""

    def collect(self, graph: Graph, images: Array, names: Collection[str]) -> dict[str, ChannelStats]:
        """Collect statistics."""
        writer = taps.BatchWriter(front_of(graph, names), sorted(names))
        session = open_session(writer.write())

        def collect(part: Array) -> dict[str, ChannelStats]:
            results = session.run(None, {graph.input: _channels_first(part)})
            return {name: _stats(values) for name, values in zip(writer.taps, results, strict=True)}

        with workers() as pool:
            parts = list(pool.map(collect, np.array_split(images, -(-len(images) // _CACHED))))
        return {name: ChannelStats.join([part[name] for part in parts]) for name in names}

    def observe(self, graph: Graph, images: Array, places: Mapping[str, Places]) -> dict[str, Observation]:
        """Run the float graph."""
        writer = taps.ObservationWriter(graph, places)
        session = open_session(writer.write())
        # An array a tensor: many small ones would take twice as long to be given memory.
        counts = {name: place.count for name, place in places.items()}
        pixels = {
            node.name: np.empty((len(images), counts.get(node.name, 0), node.shape[-1]), np.float32)
            for node in graph.nodes
        }

        def ends(some: slice) -> list[tuple[float, float]]:
            results = session.run(None, {graph.input: _channels_first(images[some])})
            tapped = dict(zip(writer.taps, results, strict=True))
            for name, place in places.items():
                pixels[name][some] = _pixels(graph[name], tapped, place)
            return [_ends(node, tapped) for node in graph.nodes]

        with workers() as pool:
            found = np.array(list(pool.map(ends, [slice(at, at + _CACHED) for at in range(0, len(images), _CACHED)])))
        lows, highs = found[..., 0].min(axis=0).tolist(), found[..., 1].max(axis=0).tolist()
        return {
            node.name: Observation(low, high, pixels[node.name].reshape(-1, node.shape[-1]))
            for node, low, high in zip(graph.nodes, lows, highs, strict=True)
        }

    def layer(
        self, node: Node, sources: Sequence[QuantParams], target: QuantParams, weights: Weights | None = None
    ) -> Layer:
        """Prepare a node; what is no convolution is small and left to numpy."""
        if weights is None or node.op not in ("conv", "depthwise") or len(node.shape) != 3:
            return REFERENCE.layer(node, sources, target, weights)
        session = open_session(taps.integer_layer(node, sources[0], target, weights))
        low, high = target.quantise(np.array(bounds(node.activation), np.float32)).tolist()

        def compute(inputs: list[NDArray[np.int8]]) -> NDArray[np.int8]:
            (result,) = session.run(None, {"x": _flipped(inputs[0])})
            made = _flipped(result).view(np.int8)
            return made if (low, high) == (LOW, HIGH) else np.clip(made, low, high)

        return compute


def _flipped(integers: NDArray[Any]) -> NDArray[np.uint8]:
    """Add or take 128, which is the same in 8 bits."""
    return integers.view(np.uint8) ^ np.uint8(128)


# The solver finds what is not finite, and names the layer.
@np.errstate(over="ignore", invalid="ignore")
def _stats(values: Array) -> ChannelStats:
    """Take the statistics of a tensor (n, c, h, w) without moving its channels."""
    pixels = values.reshape(*values.shape[:2], -1)
    squares = np.einsum("ncp,ncp->nc", pixels, pixels) / np.float32(pixels.shape[2])
    return ChannelStats(pixels.min(axis=2), pixels.max(axis=2), pixels.mean(axis=2), squares)


def _as_in_graph(values: Array, shape: tuple[int, ...]) -> Array:
    """Bring a result (n, c, h, w) or (n, c) into the layout of the graph; a vector may stand as a map of one pixel."""
    return values.transpose(0, 2, 3, 1) if len(shape) == 3 else values.reshape(-1, *shape)


def _ends(node: Node, tapped: Mapping[str, Array]) -> tuple[float, float]:
    """Return the least and the greatest value behind the activation."""
    if len(node.shape) != 3:
        values = activate(tapped[f"{node.name}/values"].copy(), node.activation)
        return float(values.min()), float(values.max())
    low = -tapped[f"{node.name}/low"].max() if node.activation == "linear" else 0.0
    return float(low), float(tapped[f"{node.name}/high"].max())


def _pixels(node: Node, tapped: Mapping[str, Array], places: Places) -> Array:
    """Return the pixels (n, places, c) in front of the activation."""
    if len(node.shape) != 3:
        return tapped[f"{node.name}/values"].reshape(-1, 1, *node.shape)
    # Without the first row and column where there are steps.
    rows, columns = (slice(int(step > 1), None) for step in places.steps)
    patterns = tapped[f"{node.name}/pixels"][:, rows, columns]
    return patterns.reshape(len(patterns), -1, node.shape[-1])


def _channels_first(images: Array) -> Array:
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))
