"""A small network as MobileNets are: channels of unlike range, some dead, some at the ceiling."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mobilenet_edge.graph import Array, Graph, Node
from mobilenet_edge.graph.run import compute
from mobilenet_edge.quantise import QuantisedGraph

ROUND = ((1, 1), (1, 1))
DEAD, SATURATING = (1, 5), 2


def network(seed: int = 0, activation: str = "relu6", tensor: int = 16, head: bool = True) -> Graph:
    """3x3 convolution, two separable blocks, mean, dense, softmax, on images of 12 by 12."""
    random = np.random.default_rng(seed)
    nodes: list[Node] = []

    def add(op, source, kernel, *, bias=0.0, padding=((0, 0), (0, 0)), shape=None):
        spread = 10 ** random.uniform(-1, 0.3, kernel[-1])
        inputs = np.prod(kernel[:-1])
        weight = random.normal(size=kernel) * spread / np.sqrt(inputs)
        offset = random.normal(size=kernel[-1]) * spread + bias * spread
        name = f"{op}{len(nodes)}"
        arrays = (np.asarray(each, np.float32) for each in (weight, offset))
        nodes.append(Node(name, op, (source,), shape or (12, 12, kernel[-1]), *arrays, 1, padding, activation))
        return name

    last = add("conv", "image", (3, 3, 3, 8), bias=1, padding=ROUND)
    first = nodes[0]
    first.kernel[..., list(DEAD)] = 0.01
    first.offset[list(DEAD)] = -3
    first.kernel[..., SATURATING] *= 20
    first.offset[SATURATING] = 4
    last = add("depthwise", last, (3, 3, 8), bias=1, padding=ROUND)
    last = add("conv", last, (1, 1, 8, tensor), bias=0.5)
    last = add("depthwise", last, (3, 3, tensor), bias=1, padding=ROUND)
    last = add("conv", last, (1, 1, tensor, 12), bias=0.5)
    if head:
        nodes.append(Node("pool", "mean", (last,), (12,)))
        weight, bias = random.normal(size=(12, 5)), random.normal(size=5)
        nodes.append(Node("head", "dense", ("pool",), (5,), weight.astype(np.float32), bias.astype(np.float32)))
        nodes.append(Node("out", "softmax", ("head",), (5,)))
    return Graph("small", "image", (12, 12, 3), tuple(nodes))


def pictures(count: int, seed: int = 1) -> Array:
    """Smooth over a few pixels, over the whole range."""
    coarse = np.random.default_rng(seed).uniform(-1, 1, (count, 4, 4, 3)).astype(np.float32)
    return coarse.repeat(3, axis=1).repeat(3, axis=2)


def simulate(made: QuantisedGraph, images: Array) -> dict[str, Array]:
    """What an int8 file computes, as reals, every tensor by name."""
    graph = made.dequantised()
    done = {graph.input: made.grids[graph.input].round(images)}
    for node in graph.nodes:
        done[node.name] = made.grids[node.name].round(compute(node, [done[name] for name in node.inputs]))
    return done


@pytest.fixture
def net() -> Callable[..., Graph]:
    return network


@pytest.fixture
def photos() -> Callable[..., Array]:
    return pictures


@pytest.fixture
def int8() -> Callable[[QuantisedGraph, Array], dict[str, Array]]:
    return simulate


@pytest.fixture
def dead() -> tuple[int, ...]:
    """Channels of the first layer that are always zero."""
    return DEAD


@pytest.fixture
def saturating() -> int:
    """A channel of the first layer that often is at 6."""
    return SATURATING
