"""The loss of an int8 network, divided among its layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mobilenet_edge.graph.run import run
from mobilenet_edge.quantise import QuantParams
from mobilenet_edge.quantise.attribution import attribute
from mobilenet_edge.quantise.solve import EFFORTS, solve

FAST = replace(EFFORTS["fast"], samples=500)


def relative(wanted, found):
    """The square of what a softmax sees of an error, relative to what it sees of the logits."""
    wanted, found = (each - each.mean(axis=1, keepdims=True) for each in (wanted, found))
    return np.square(found - wanted).mean() / np.square(wanted).mean()


def test_a_layer_costs_what_rounding_it_alone_changes(net, photos):
    graph, images = net(), photos(8)
    made = solve(graph, photos(40), FAST)
    losses = {loss.name: loss for loss in attribute(graph, made, images)}
    assert list(losses) == ["image", *(node.name for node in made.graph.nodes[:-1])]
    logits = np.maximum(run(made.graph, images, "head"), made.least_logit)
    node = made.graph["depthwise1"]
    integer = made.weights[node.name].dequantised(node, made.grids[node.inputs[0]])
    found = np.maximum(run(made.graph.replace({node.name: integer}), images, "head"), made.least_logit)
    np.testing.assert_allclose(losses["depthwise1"].weights, relative(logits, found), rtol=1e-3)
    front = replace(made.graph, nodes=made.graph.nodes[:3])
    rest = replace(made.graph, input="conv2", input_shape=made.graph["conv2"].shape, nodes=made.graph.nodes[3:])
    found = np.maximum(run(rest, made.grids["conv2"].round(run(front, images)), "head"), made.least_logit)
    np.testing.assert_allclose(losses["conv2"].activations, relative(logits, found), rtol=1e-3)


def test_a_coarse_grid_and_a_narrow_one_stand_out(net, photos):
    graph, images = net(), photos(8)
    # Copies of a channel would be rounded alike on the coarse grid.
    made = solve(graph, photos(40), replace(FAST, looked_at=0))
    before = {loss.name: loss for loss in attribute(graph, made, images)}
    coarse = replace(made, grids={**made.grids, "conv2": QuantParams.from_range(0, 24)})
    after = {loss.name: loss for loss in attribute(graph, coarse, images)}["conv2"]
    # Almost five times the step is 22 times the square.
    assert 7 < after.activations / before["conv2"].activations < 70
    assert 0.1 < after.used < 0.2
    narrow = replace(made, grids={**made.grids, "conv2": QuantParams.from_range(0, 1)})
    loss = {loss.name: loss for loss in attribute(graph, narrow, images)}["conv2"]
    values = run(made.graph, images, "conv2")
    assert before["conv2"].saturated == 0
    assert loss.saturated == float((values > 1 + 1 / 255).mean())


def test_dead_channels_are_those_of_the_original(net, photos, dead):
    graph = net()
    losses = {loss.name: loss for loss in attribute(graph, solve(graph, photos(40), FAST), photos(8))}
    # Equalisation has put copies of others into them by then.
    assert losses["conv0"].dead == len(dead)
    assert losses["conv0"].channels == 8


def test_the_share_of_the_macs_rises_to_all_of_them(net, photos):
    graph = net()
    shares = [loss.macs_share for loss in attribute(graph, solve(graph, photos(20), FAST), photos(4))]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
