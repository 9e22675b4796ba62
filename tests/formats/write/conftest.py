"""Folded graphs by hand that use every op, padding and activation a writer must know, and their integers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.device.runtimes import open_model
from mobilenet_edge.graph import NO_PADDING, Graph, Node, Padding, affine, same_padding
from mobilenet_edge.graph.run import pad, tensors
from mobilenet_edge.quantise import SOFTMAX_GRID, QuantisedGraph, QuantParams, Weights
from mobilenet_edge.quantise.lower import fuse, lower

EXPLICIT = ((0, 1), (0, 1))  # ZeroPadding2D of keras.applications
ROUND = ((1, 1), (1, 1))


class Maker:
    """Grows a graph node by node, with seeded weights whose scale differs between channels."""

    def __init__(self, side: int, channels: int = 3) -> None:
        self.random = np.random.default_rng(side)
        self.input_shape = (side, side, channels)
        self.nodes: list[Node] = []
        self.shapes: dict[str, tuple[int, ...]] = {"image": self.input_shape}

    def layer(self, name, op, source, filters=None, kernel=3, stride=1, padding="same", activation="relu6"):
        height, width, channels = self.shapes[source]
        if padding == "same":
            padding = (same_padding(height, kernel, stride), same_padding(width, kernel, stride))
        padding = NO_PADDING if padding == "valid" else padding
        shape = (kernel, kernel, channels, filters) if op == "conv" else (kernel, kernel, channels)
        spread = self.random.uniform(0.3, 3, shape[-1])
        weight = self.random.normal(size=shape) * spread / np.sqrt(np.prod(shape[:-1]) if op == "conv" else 9)
        sides = [
            (side + sum(zeros) - kernel) // stride + 1 for side, zeros in zip((height, width), padding, strict=True)
        ]
        bias = self.random.normal(size=shape[-1])
        self._add(
            Node(name, op, (source,), (*sides, shape[-1]), np.asarray(weight, np.float32),
                 np.asarray(bias, np.float32), stride, padding, activation)
        )  # fmt: skip
        return self

    def add(self, name, first, second, activation="linear"):
        return self._add(Node(name, "add", (first, second), self.shapes[first], activation=activation))

    def mean(self, name, source):
        return self._add(Node(name, "mean", (source,), self.shapes[source][-1:]))

    def dense(self, name, source, units, activation="linear"):
        inside = self.shapes[source][0]
        weight = self.random.normal(size=(inside, units)) * self.random.uniform(0.2, 2, units)
        bias = self.random.normal(size=units)
        made = (np.asarray(each, np.float32) for each in (weight, bias))
        return self._add(Node(name, "dense", (source,), (units,), *made, activation=activation))

    def combine(self, name, op, *sources, activation="linear"):
        shape = max((self.shapes[source] for source in sources), key=len)
        if op == "concat":
            shape = (*shape[:-1], sum(self.shapes[source][-1] for source in sources))
        return self._add(Node(name, op, sources, shape, activation=activation))

    def function(self, name, op, source):
        return self._add(Node(name, op, (source,), self.shapes[source]))

    def largest(self, name, source):
        return self._add(Node(name, "max", (source,), self.shapes[source][-1:]))

    def pool(self, name, op, source, window=(2, 2), stride=2, padding=NO_PADDING):
        *sides, channels = self.shapes[source]
        if padding == "same":
            padding = tuple(same_padding(side, kernel, stride) for side, kernel in zip(sides, window, strict=True))
        sides = [(s + sum(p) - k) // stride + 1 for s, p, k in zip(sides, padding, window, strict=True)]
        return self._add(Node(name, op, (source,), (*sides, channels), stride=stride, padding=padding, window=window))

    def affine(self, name, source, activation="linear"):
        shape = self.shapes[source]
        scale, shift = (np.asarray(self.random.normal(size=shape[-1]), np.float32) for _ in range(2))
        return self._add(affine(name, source, shape, scale, shift, activation))

    def softmax(self, name, source):
        return self.function(name, "softmax", source)

    def graph(self, name="tiny"):
        return Graph(name, "image", self.input_shape, tuple(self.nodes))

    def _add(self, node):
        self.nodes.append(node)
        self.shapes[node.name] = node.shape
        return self


def classifier(side=32):
    """A MobileNet in small: convolution, separable blocks, mean, dense, softmax."""
    made = Maker(side).layer("conv1", "conv", "image", 8, stride=2)
    source = "conv1"
    for number, (stride, filters) in enumerate(((1, 16), (2, 16), (2, 24)), 1):
        made.layer(f"dw{number}", "depthwise", source, stride=stride)
        made.layer(f"pw{number}", "conv", f"dw{number}", filters, kernel=1)
        source = f"pw{number}"
    return made.mean("pool", source).dense("head", "pool", 10).softmax("predictions", "head").graph()


def headed(made: Maker, source: str) -> Graph:
    return made.mean("pool", source).dense("head", "pool", 3).softmax("out", "head").graph()


def residual() -> Graph:
    made = Maker(8).layer("conv1", "conv", "image", 4, activation="relu").layer("dw", "depthwise", "conv1")
    made.add("sum", "conv1", "dw", "relu").layer("pw", "conv", "sum", 4, kernel=1, activation="linear")
    made.add("end", "pw", "sum", "relu6").mean("pool", "end").dense("hidden", "pool", 6, "relu")
    return made.dense("head", "hidden", 3).softmax("out", "head").graph()


def padded(side: int, second: Padding) -> Graph:
    made = Maker(side).layer("conv1", "conv", "image", 4, stride=2, padding=EXPLICIT)
    return made.layer("dw", "depthwise", "conv1", stride=2, padding=second, activation="linear").graph()


def map_of_one() -> Graph:
    made = Maker(2).layer("conv1", "conv", "image", 4, stride=2).layer("dw", "depthwise", "conv1")
    return headed(made.layer("pw", "conv", "dw", 6, kernel=1), "pw")


def squeezed() -> Graph:
    """A block of MobileNetV3: hard swishes, and a gate from a squeezed map."""
    made = Maker(8).layer("c", "conv", "image", 8, stride=2, activation="linear").function("hs", "hard_swish", "c")
    made.layer("dw", "depthwise", "hs", activation="linear").function("hs2", "hard_swish", "dw")
    made.mean("squeeze", "hs2").dense("reduce", "squeeze", 4, "relu").dense("expand", "reduce", 8)
    made.function("gate", "hard_sigmoid", "expand").combine("scaled", "multiply", "hs2", "gate")
    made.layer("pw", "conv", "scaled", 8, kernel=1, activation="linear").mean("pool", "pw")
    made.dense("wide", "pool", 12).function("hs3", "hard_swish", "wide")
    return made.dense("head", "hs3", 5).softmax("out", "head").graph()


def odd_sizes() -> Graph:
    """Each way to fit a window to a side that its stride does not divide."""
    made = Maker(11).layer("valid", "conv", "image", 4, padding="valid", stride=2, activation="relu")
    made.layer("same", "depthwise", "valid", stride=2)
    return made.layer("point", "conv", "same", 4, kernel=1, stride=2).graph()


def average_pools() -> Graph:
    made = Maker(9).layer("c", "conv", "image", 4, activation="linear").pool("p", "average_pool", "c")
    made.pool("same", "average_pool", "p", window=(3, 3), padding="same")
    return made.layer("pw", "conv", "same", 4, kernel=1, activation="linear").graph()


def max_pools() -> Graph:
    made = Maker(9).layer("c", "conv", "image", 4, activation="linear")
    made.pool("padded", "max_pool", "c", window=(3, 3), padding=ROUND).pool("oblong", "max_pool", "padded", (3, 2), 1)
    made.pool("same", "max_pool", "oblong", window=(2, 3), padding="same")
    return made.layer("pw", "conv", "same", 4, kernel=1, activation="linear").graph()


def joined() -> Graph:
    """Maps of unlike ranges, and vectors, joined."""
    made = Maker(6).layer("a", "conv", "image", 4, activation="relu6").layer("b", "conv", "image", 3)
    made.layer("c", "conv", "a", 5, activation="linear").combine("maps", "concat", "a", "b", "c")
    made.mean("m", "maps").largest("l", "maps").combine("vectors", "concat", "m", "l", "m")
    return made.dense("head", "vectors", 4).graph()


def gated() -> Graph:
    """A vector on either side of a map, sums and products of vectors, and a sigmoid in the middle."""
    made = Maker(6).layer("c", "conv", "image", 4, activation="relu").mean("m", "c").dense("d", "m", 4)
    made.function("s", "sigmoid", "d").combine("product", "multiply", "s", "c")
    made.combine("sum", "add", "product", "d", activation="relu6").mean("m2", "sum")
    return made.combine("both", "multiply", "m2", "m", activation="relu").dense("head", "both", 3).graph()


def scaled() -> Graph:
    """Batch norm that stands behind a pool, and clips at 1 of a map and of a vector."""
    made = Maker(6).layer("c", "conv", "image", 4, activation="relu1").affine("bn", "c", "relu").largest("m", "bn")
    return made.affine("bn2", "m", "relu1").dense("head", "bn2", 3).graph()


GRAPHS: dict[str, Callable[[], Graph]] = {
    "classifier": classifier,
    "odd sizes": odd_sizes,
    "padded by hand": lambda: padded(12, EXPLICIT),
    "padded by hand at an odd size": lambda: padded(13, ROUND),
    "map of one": map_of_one,
    "residual": residual,
    "squeeze and excite": squeezed,
    "joined": joined,
    "gated": gated,
    "scaled": scaled,
    "average pools": average_pools,
    "max pools": max_pools,
    "binary": lambda: (
        Maker(8)
        .layer("c", "conv", "image", 4)
        .mean("pool", "c")
        .dense("head", "pool", 1)
        .function("out", "sigmoid", "head")
        .graph()
    ),
    "hard sigmoid of a sum": lambda: (
        Maker(6)
        .layer("c", "conv", "image", 4, activation="linear")
        .add("sum", "c", "c")
        .function("hs", "hard_sigmoid", "sum")
        .graph()
    ),
}


def images(graph: Graph, count: int = 6) -> np.ndarray:
    """Seeded inputs in [-1, 1]."""
    return np.random.default_rng(3).uniform(-1, 1, (count, *graph.input_shape)).astype(np.float32)


def quantised(graph: Graph) -> QuantisedGraph:
    """Round to nearest on min-max ranges: the plainest integers that mean something."""
    graph = fuse(graph)
    grids: dict[str, QuantParams] = {}
    for name, value in tensors(graph, images(graph, 16)):
        low, high = float(value.min()), float(value.max())
        op = "" if name == graph.input else graph[name].op
        sources = [] if name == graph.input else [grids[source] for source in graph[name].inputs]
        if op in ("softmax", "sigmoid"):
            grids[name] = SOFTMAX_GRID
        elif op in ("max", "average_pool", "max_pool"):
            grids[name] = sources[0]
        elif op == "hard_sigmoid":
            grids[name] = QuantParams.from_range(0, 1)
        elif op == "concat":
            # The widest is a grid that one of the inputs has already.
            grids[name] = max(sources, key=lambda grid: grid.scale)
        else:
            grids[name] = QuantParams.from_range(low, high)
    weights = {}
    for node in graph.weighted():
        # So small that sums of two products stay within 16 bits, and are the same on every x86.
        scales = np.abs(node.kernel).reshape(-1, node.kernel.shape[-1]).max(0) / np.float32(63)
        step = scales * np.float32(grids[node.inputs[0]].scale)
        weights[node.name] = Weights(
            np.rint(node.kernel / scales).astype(np.int8), scales, np.rint(node.offset / step).astype(np.int32)
        )
    return lower(QuantisedGraph(graph, grids, weights))


def integers(made: QuantisedGraph, done: dict[str, np.ndarray], node: Node, rounded: bool = True) -> np.ndarray:
    """One node on integer tensors without a batch: sums of integers, and one rounding if asked for."""
    inputs = [done[name].astype(np.int64) - made.grids[name].zero_point for name in node.inputs]
    scales = [made.grids[name].scale for name in node.inputs]
    reals = [x * scale for x, scale in zip(inputs, scales, strict=True)]
    grid = made.grids[node.name]
    if node.weight is not None:
        own = made.weights[node.name]
        real = (weighted(node, inputs[0], own.integers.astype(np.int64)) + own.bias) * own.scales.astype(float)
        real *= scales[0]
    elif node.op == "add":
        real = reals[0] + reals[1]
    elif node.op == "multiply":
        real = reals[0] * reals[1]
    elif node.op == "concat":
        real = np.concatenate(reals, -1)
    elif node.op == "mean":
        real = reals[0].mean((0, 1))
    elif node.op == "max":
        real = reals[0].max((0, 1))
    elif node.op == "sigmoid":
        real = 1 / (1 + np.exp(-reals[0]))
    elif node.op == "softmax":
        powers = np.exp(reals[0] - reals[0].max())
        real = powers / powers.sum()
    else:
        real = np.empty(node.shape)
        padded = pad(reals[0][None], node.padding, np.nan)[0]
        for row, column in np.ndindex(*node.shape[:2]):
            top, left = row * node.stride, column * node.stride
            window = padded[top : top + node.window[0], left : left + node.window[1]]
            real[row, column] = {"max_pool": np.nanmax, "average_pool": np.nanmean}[node.op](window, axis=(0, 1))
    low, high = {"linear": (-np.inf, np.inf), "relu": (0, np.inf), "relu6": (0, 6), "relu1": (0, 1)}[node.activation]
    steps = np.clip(np.clip(real, low, high) / grid.scale + grid.zero_point, -128, 127)
    return np.rint(steps).astype(np.int64) if rounded else steps


def weighted(node: Node, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The sums of products of a weighted node, exactly, in int64."""
    if node.op == "dense":
        return x @ kernel
    if x.ndim == 1:
        return x * kernel[0, 0]
    padded, size, stride = pad(x[None], node.padding)[0], kernel.shape[0], node.stride
    out = np.zeros(node.shape, np.int64)
    for row in range(node.shape[0]):
        for column in range(node.shape[1]):
            window = padded[row * stride : row * stride + size, column * stride : column * stride + size]
            contract = "hwc,hwco->o" if node.op == "conv" else "hwc,hwc->c"
            out[row, column] = np.einsum(contract, window, kernel)
    return out


@pytest.fixture(scope="module", params=GRAPHS)
def graph(request: pytest.FixtureRequest) -> Graph:
    """Each graph in turn."""
    return GRAPHS[request.param]()


@pytest.fixture
def small() -> Graph:
    """The classifier."""
    return classifier()


@pytest.fixture(scope="module")
def made(graph) -> QuantisedGraph:
    """The integers of each graph."""
    return quantised(graph)


@pytest.fixture(scope="module")
def batch(graph) -> np.ndarray:
    """Six images for each graph."""
    return images(graph)


@pytest.fixture(scope="session")
def quantise() -> Callable[[Graph], QuantisedGraph]:
    """Round a graph's weights to nearest."""
    return quantised


@pytest.fixture(scope="session")
def simulate() -> Callable[..., np.ndarray]:
    """The reference in integers, node by node."""
    return integers


@pytest.fixture
def wide() -> Graph:
    """A network whose weights outweigh its graph: 20,992 of 23,296 in layers that are worth rounding."""
    made = Maker(8).layer("conv1", "conv", "image", 64).layer("dw", "depthwise", "conv1")
    made.layer("pw", "conv", "dw", 128, kernel=1)
    return made.mean("pool", "pw").dense("head", "pool", 100).softmax("predictions", "head").graph("wide")


@pytest.fixture
def outputs() -> Callable[[Path, np.ndarray], np.ndarray]:
    """What a file of either format gives for images (n, h, w, c), its maps in the same order."""

    def run(path: Path, images: np.ndarray) -> np.ndarray:
        session = open_model(path, threads=1)
        channels_first = path.suffix == ".onnx"
        fed = images.transpose(0, 3, 1, 2) if channels_first else images
        found = np.concatenate([session.run([np.ascontiguousarray(each[None])])[0] for each in fed])
        return found.transpose(0, 2, 3, 1) if channels_first and found.ndim == 4 else found

    return run
