"""Neighbours in another order: the same network, and finer scales within the 16-bit limit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.graph.run import run
from mobilenet_edge.quantise import rounding
from mobilenet_edge.quantise.moments import as_problems
from mobilenet_edge.quantise.pairing import pair
from mobilenet_edge.quantise.solve import Options, solve


def widening(node):
    """How much wider than by its largest weights the scales of a layer are, as a mean of squares."""
    weight = as_problems(node, node.kernel)
    return np.mean((rounding.full_range(weight, True) / rounding.full_range(weight, False)) ** 2)


@pytest.mark.parametrize("tensor", [16, 17])
def test_the_network_stays_the_same(tensor, net, photos):
    graph, images = net(tensor=tensor), photos(5)
    paired = pair(graph)
    np.testing.assert_allclose(run(paired, images), run(graph, images), rtol=1e-4, atol=1e-6)
    for old, new in zip(graph.nodes, paired.nodes, strict=True):
        assert (old.name, old.op, old.inputs, old.shape) == (new.name, new.op, new.inputs, new.shape)
    moved = [new.name for old, new in zip(graph.nodes, paired.nodes, strict=True) if new is not old]
    assert moved == ["conv0", "depthwise1", "conv2", "depthwise3", "conv4", "head"]


def test_scales_become_finer(net):
    graph = net(tensor=64)
    paired = pair(graph)
    # Seen: 1.21 and 1.01.
    assert widening(graph["conv4"]) > 1.1
    assert widening(paired["conv4"]) < 1.05


def test_two_large_weights_of_one_sign_are_parted():
    kernel = np.full((1, 1, 4, 2), 0.01, np.float32)
    kernel[0, 0, :2] = 1
    nodes = (
        Node("first", "conv", ("image",), (4, 4, 4), np.ones((1, 1, 3, 4), np.float32), np.zeros(4, np.float32)),
        Node("second", "conv", ("first",), (4, 4, 2), kernel, np.zeros(2, np.float32)),
    )
    paired = pair(Graph("two", "image", (4, 4, 3), nodes))["second"].kernel[0, 0]
    for neighbours in (paired[:2], paired[2:]):
        np.testing.assert_allclose(neighbours.sum(axis=0), 1.01)


def test_channels_that_two_nodes_read_stay(net):
    graph = net()
    added = Node("sum", "add", ("conv4", "conv4"), (12, 12, 12))
    pool = replace(graph["pool"], inputs=("sum",))
    place = next(index for index, node in enumerate(graph.nodes) if node.name == "pool")
    graph = replace(graph, nodes=(*graph.nodes[:place], added, pool, *graph.nodes[place + 1 :]))
    paired = pair(graph)
    assert paired["head"] is graph["head"]
    np.testing.assert_array_equal(paired["conv4"].offset, graph["conv4"].offset)


def test_channels_of_the_input_stay(net):
    graph = net()
    rest = replace(graph, input="conv2", input_shape=graph["conv2"].shape, nodes=graph.nodes[3:])
    assert pair(rest)["depthwise3"] is rest["depthwise3"]


def test_without_the_limit_the_order_stays(net, photos):
    graph = net()
    orders = [solve(graph, photos(4), Options(pairs=pairs, looked_at=0)).graph["conv2"].offset for pairs in (0, 1)]
    np.testing.assert_array_equal(orders[0], graph["conv2"].offset)
    np.testing.assert_array_equal(np.sort(orders[1]), np.sort(graph["conv2"].offset))
    assert (orders[1] != graph["conv2"].offset).any()
