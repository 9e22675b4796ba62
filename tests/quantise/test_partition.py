"""Where a graph is cut for mixed precision, and integers that are solved on what the float part gives."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from mobilenet_edge.errors import BuildError
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.graph.run import run
from mobilenet_edge.quantise import partition
from mobilenet_edge.quantise.solve import EFFORTS, INPUT_GRID, solve

FAST = replace(EFFORTS["fast"], samples=500)


def noise(wanted, found):
    return 10 * math.log10(np.square(wanted).mean() / np.square(wanted - found).mean())


def divided(graph, cut, images, options=FAST):
    return partition.quantise(graph, cut, images, options, INPUT_GRID, run)


def test_a_chain_can_be_cut_behind_every_map(net):
    assert partition.cuts(net()) == ("conv0", "depthwise1", "conv2", "depthwise3", "conv4")


def block() -> Graph:
    """A residual block between two convolutions; behind a layer a function that has no weights."""
    kernel, bias = np.ones((1, 1, 4, 4), np.float32), np.zeros(4, np.float32)

    def conv(name, source):
        return Node(name, "conv", (source,), (4, 4, 4), kernel, bias)

    inner = (conv("a", "image"), Node("hs", "hard_swish", ("a",), (4, 4, 4)), conv("b", "hs"), conv("c", "b"))
    tail = (Node("sum", "add", ("hs", "c"), (4, 4, 4)), conv("d", "sum"), Node("pool", "mean", ("d",), (4,)))
    return Graph("block", "image", (4, 4, 4), (*inner, *tail))


def test_no_cut_lies_between_the_ends_of_a_shortcut():
    # Behind "d" there is nothing left to quantise but a mean.
    assert partition.cuts(block()) == ("hs", "sum")


def test_a_graph_without_such_a_tensor_says_what_to_do():
    graph = replace(block(), nodes=block().nodes[4:5], input="hs")
    with pytest.raises(BuildError, match="--precision int8"):
        partition.default(graph)


def test_a_fifth_of_the_macs_stays_in_float_by_default(net):
    graph = net()
    macs = [node.macs for node in graph.weighted()]
    shares = np.cumsum(macs) / sum(macs)
    expected = max(1, int((shares <= partition.FLOAT_SHARE).sum()))
    assert len(list(partition.split(graph, partition.default(graph))[0].weighted())) == expected


def test_both_parts_together_are_the_graph(net, photos):
    graph, images = net(), photos(4)
    front, rest = partition.split(graph, "conv2")
    np.testing.assert_array_equal(run(rest, run(front, images)), run(graph, images))


def test_equalised_channels_change_nothing_in_float(net, photos):
    graph, images = net(), photos(30)
    mixed = divided(graph, "conv2", images)
    both = run(mixed.rest.graph, run(mixed.front, images))
    np.testing.assert_allclose(both, run(graph, images), atol=1e-4)


def test_what_follows_the_float_part_is_nearer_to_the_float_graph(net, photos, int8):
    images, others = photos(60), photos(40, seed=9)
    options, gained = replace(FAST, pairs=False), []  # the order of channels stays
    for seed in range(12):
        graph = net(seed)
        wanted = run(graph, others, "conv4")
        all_int8 = int8(solve(graph, images, options), others)["conv4"]
        mixed = divided(graph, "conv2", images, options)
        gained.append(noise(wanted, int8(mixed.rest, run(mixed.front, others))["conv4"]) - noise(wanted, all_int8))
    # Two layers and two grids are left of five each. One rounding that falls otherwise moves a net by a decibel.
    assert np.mean(gained) > 0


def test_infinity_in_front_of_a_cut_is_named(net, photos):
    graph = net()
    kernel = graph["conv2"].kernel * np.float32(np.inf)
    broken = graph.replace({"conv2": replace(graph["conv2"], weight=kernel, activation="linear")})
    with np.errstate(invalid="ignore"), pytest.raises(BuildError, match="'conv2' gives NaN or infinity"):
        divided(broken, "conv2", photos(4))


def test_the_same_pictures_give_the_same_integers(net, photos):
    first, second = (divided(net(), "conv2", photos(10)) for _ in range(2))
    for name, weights in first.rest.weights.items():
        np.testing.assert_array_equal(weights.integers, second.rest.weights[name].integers)
