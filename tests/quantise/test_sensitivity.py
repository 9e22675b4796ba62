"""Derivatives against differences: what noise in a channel does to the logits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.graph.run import run
from mobilenet_edge.quantise.sensitivity import sensitivity

STEP = 1e-2


def differences(graph, images, name):
    """Squared derivatives of all logits by each value of a tensor, summed over pixels: one run a value."""
    place = next(index for index, node in enumerate(graph.nodes) if node.name == name) + 1
    values = run(graph, images, name)
    shape = values.shape[1:]
    rest = replace(graph, input=name, input_shape=shape, nodes=graph.nodes[place:])
    found = np.zeros(shape[-1])
    for image in values.astype(np.float64):
        moves = np.eye(image.size).reshape(-1, *shape) * STEP
        change = (run(rest, image + moves, graph.logits) - run(rest, image - moves, graph.logits)) / (2 * STEP)
        found += np.square(change).sum(axis=-1).reshape(shape).sum(axis=tuple(range(len(shape) - 1)))
    return found / len(values)


@pytest.mark.parametrize("name", ["conv0", "depthwise1", "conv2", "depthwise3"])
def test_it_is_what_differences_give(name, net, photos):
    graph = net()
    images = photos(2)
    # Many probes: each is right on average only.
    found = sensitivity(graph, np.repeat(images, 200, axis=0), [name])[name]
    np.testing.assert_allclose(found, differences(graph, images, name), rtol=0.35, atol=0.02 * found.max())


def test_the_same_images_give_the_same(net, photos):
    first, second = (sensitivity(net(), photos(3), ["conv0", "conv2"]) for _ in range(2))
    assert first.keys() == {"conv0", "conv2"}
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])


def test_a_sum_hands_on_to_both_of_its_inputs(photos):
    ones = np.ones((1, 1, 3, 3), np.float32) / 3
    nodes = (
        Node("a", "conv", ("image",), (12, 12, 3), ones, np.zeros(3, np.float32)),
        Node("b", "conv", ("a",), (12, 12, 3), 2 * ones, np.zeros(3, np.float32)),
        Node("sum", "add", ("a", "b"), (12, 12, 3)),
        Node("mean", "mean", ("sum",), (3,)),
        Node("head", "dense", ("mean",), (1,), np.ones((3, 1), np.float32), np.zeros(1, np.float32)),
    )
    graph = Graph("sum", "image", (12, 12, 3), nodes)
    found = sensitivity(graph, photos(2), ["a", "b"])
    # Each pixel counts a 144th: once directly, and twice by the other way.
    np.testing.assert_allclose(found["a"], np.full(3, 9 / 144), rtol=1e-5)
    np.testing.assert_allclose(found["b"], np.full(3, 1 / 144), rtol=1e-5)


def test_behind_an_op_without_a_rule_nothing_is_said(net, photos):
    graph = net()
    place = next(index for index, node in enumerate(graph.nodes) if node.name == "conv2") + 1
    pooled = Node("pool", "max_pool", ("conv2",), graph["conv2"].shape, stride=1)
    after = replace(graph.nodes[place], inputs=("pool",))
    graph = replace(graph, nodes=(*graph.nodes[:place], pooled, after, *graph.nodes[place + 1 :]))
    found = sensitivity(graph, photos(2), ["conv0", "depthwise3"])
    assert found.keys() == {"conv0"}
    assert found["conv0"].max() > 0
