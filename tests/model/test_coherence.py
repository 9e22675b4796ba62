"""Batch norms against each other: statistics are taken here by running the layers on samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mobilenet_edge.graph import Activation, Graph, Node, bounds
from mobilenet_edge.graph.run import linear
from mobilenet_edge.model.coherence import coherent
from mobilenet_edge.model.norm import Moments, Norm


def network(activation: Activation) -> Graph:
    random = np.random.default_rng(0)
    first = random.normal(0, 1, (1, 1, 3, 16)).astype(np.float32)
    second = random.normal(0, 0.5, (1, 1, 16, 12)).astype(np.float32)
    bias = random.normal(0.5, 1, 16).astype(np.float32)
    nodes = (
        Node("one", "conv", ("image",), (8, 8, 16), first, bias, activation=activation),
        Node("two", "conv", ("one",), (8, 8, 12), second, random.normal(0, 1, 12).astype(np.float32)),
    )
    return Graph("two layers", "image", (8, 8, 3), nodes)


def trained(graph: Graph) -> dict[str, Moments]:
    """What batch norms behind both layers would have seen of normally distributed pixels."""
    one, two = graph.nodes
    seen = np.random.default_rng(1).normal(0, 1, (200, 8, 8, 3)).astype(np.float32)
    first = linear(one, [seen])
    second = linear(two, [np.clip(first, *bounds(one.activation))])
    return {
        node.name: Moments(
            values.mean((0, 1, 2), np.float64), values.var((0, 1, 2), np.float64), np.ones(values.shape[-1], np.bool_)
        )
        for node, values in ((one, first), (two, second))
    }


@pytest.mark.parametrize("activation", ["linear", "relu", "relu6"])
def test_statistics_of_one_training_fit_each_other(activation):
    graph = network(activation)
    assert coherent(graph, trained(graph))


def test_statistics_drawn_at_random_do_not():
    graph = network("relu6")
    random = np.random.default_rng(2)
    drawn = {
        name: Moments(random.normal(0, 1, len(each.mean)), random.uniform(0.5, 2, len(each.mean)), each.alive)
        for name, each in trained(graph).items()
    }
    assert not coherent(graph, drawn)


def test_without_two_batch_norms_in_a_row_nothing_is_known():
    graph = network("relu6")
    assert not coherent(graph, {"one": trained(graph)["one"]})
    assert not coherent(graph, {})


def test_statistics_are_folded_as_the_weights_are():
    node = network("linear").nodes[0]
    random = np.random.default_rng(3)
    factor, shift = random.uniform(-2, 2, 16), random.normal(0, 1, 16)
    mean, variance = random.normal(0, 1, 16), random.uniform(0.1, 2, 16)
    folded = Node(node.name, "conv", node.inputs, node.shape, node.kernel * factor, node.offset * factor + shift)
    found = Norm(node, mean, variance).folded(folded)
    np.testing.assert_allclose(found.mean, mean * factor + shift, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.variance, variance * factor**2, rtol=1e-4)


def test_a_channel_that_its_batch_norm_switches_off_says_nothing():
    node = network("relu").nodes[0]
    norm = Norm(node, np.zeros(16), np.ones(16))
    gamma = np.ones(16, np.float32)
    gamma[3] = 0
    folded = norm.folded(replace(node, weight=node.kernel * gamma))
    assert folded.alive.tolist() == [channel != 3 for channel in range(16)]
    assert (folded.variance[folded.alive] > 0).all()
