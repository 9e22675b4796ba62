"""Channels made wide and dead ones put to use: the float network stays what it was, and its int8 form comes nearer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mobilenet_edge.evaluation.scores import snr_db
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.graph.run import run
from mobilenet_edge.quantise import channels
from mobilenet_edge.quantise.solve import INPUT_GRID, Options, solve
from mobilenet_edge.quantise.stats import collect_ranges

STEP = 6 / 255


def prepare(graph, images):
    return channels.prepare(graph, images, INPUT_GRID)


def collect(graph, images):
    return collect_ranges(graph, images, {node.name for node in graph.weighted()})


def arrays(graph):
    return [array for node in graph.weighted() for array in (node.kernel, node.offset)]


def assert_same(first, second):
    for one, other in zip(arrays(first), arrays(second), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("seed", range(2))
def test_outputs_stay_on_the_images_looked_at_and_nearly_so_on_others(seed, net, photos):
    graph = net(seed)
    seen, others = photos(40), photos(40, seed=2)
    spread = prepare(graph, seen)
    for images, least in ((seen, 40), (others, 25)):
        # Copies half a step apart and values just outside the range are all that may differ.
        assert snr_db(run(graph, images, graph.logits), run(spread, images, graph.logits)) > least


def test_the_graph_given_is_left_alone(net, photos):
    graph = net()
    before = [each.copy() for each in arrays(graph)]
    prepare(graph, photos(10))
    for now, then in zip(arrays(graph), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_widening_changes_nothing_but_rounding(net, photos):
    graph, images = net(), photos(20)
    wide = channels.equalise(graph, collect(graph, images))
    # float32, scales of up to 32 and back.
    np.testing.assert_allclose(run(wide, images), run(graph, images), atol=1e-4)


def test_channels_fill_the_range(net, photos):
    graph, images = net(), photos(20)
    values = collect(channels.equalise(graph, collect(graph, images)), images)
    for name in ("conv0", "depthwise1", "conv2", "depthwise3"):
        before = collect(graph, images)[name]
        # Beyond the largest scale nothing fills the range.
        alive = before.high - before.low > 6 / 32
        assert alive.any()
        # A margin stays free at the top, of 2 % or what the highest image has more than the next.
        free = np.maximum(0.03 * values[name].high, 1.05 * values[name].surprise[1])
        assert (values[name].high + free >= 6)[alive].all()


def test_a_channel_that_clips_goes_on_clipping(net, photos, saturating):
    graph, images = net(), photos(20)
    wide = channels.equalise(graph, collect(graph, images))
    before, after = (run(each, images, "conv0")[..., saturating] for each in (graph, wide))
    assert (before == 6).mean() > 0.1
    np.testing.assert_array_equal(before == 6, after == 6)


def chain(bias, first=1.0, padding=((0, 0), (0, 0))):
    """Two 1x1 convolutions with a channel whose bias is given, on images of one channel."""
    make = Node("make", "conv", ("image",), (2, 2, 1), np.full((1, 1, 1, 1), first, np.float32),
                np.float32([bias]), 1, ((0, 0), (0, 0)), "relu6")  # fmt: skip
    size = 2 + sum(padding[0])
    read = Node("read", "conv", ("make",), (size, size, 1), np.ones((1, 1, 1, 1), np.float32), np.float32([0]), 1,
                padding)  # fmt: skip
    return Graph("chain", "image", (2, 2, 1), (make, read))


@pytest.mark.parametrize("bias", [2.0, 5.0, 5.9, 5.99])
def test_a_narrow_channel_that_is_shifted_keeps_its_ceiling(bias):
    # Between `bias` and 6: even at the largest scale, 32, what lies above 6 must be cut off at 6.
    images = np.linspace(0, 1, 16, dtype=np.float32).reshape(-1, 2, 2, 1) * np.float32(6 - bias)
    graph = chain(bias)
    wide = channels.equalise(graph, collect(graph, images))
    far = images + np.float32(6)
    np.testing.assert_allclose(run(wide, images), run(graph, images), atol=1e-5)
    np.testing.assert_allclose(run(wide, far), 6, atol=1e-5)


def test_a_shift_is_not_put_before_padding():
    images = np.random.default_rng(0).uniform(0, 1, (4, 2, 2, 1)).astype(np.float32)
    graph = chain(3.0, padding=((1, 1), (1, 1)))
    assert_same(prepare(graph, images), graph)


def test_dead_channels_become_copies_a_part_of_a_step_apart(net, photos, dead):
    graph, images = net(), photos(20)
    made = prepare(graph, images)
    found = run(made, images, "conv0")
    assert not collect(made, images)["conv0"].silent[list(dead)].any()
    for channel in dead:
        twins = []
        for other in set(range(8)) - {channel}:
            clear = (found[..., channel] > 0.1) & (found[..., channel] < 5.9) & (found[..., other] > 0.1)
            clear &= found[..., other] < 5.9
            apart = np.abs(found[..., channel] - found[..., other])[clear]
            if len(apart) and apart.max() < STEP:
                twins.append(apart)
        assert twins
        # Two or three copies: half or a third of a step, in float32.
        assert all(np.allclose(each, each[0], atol=1e-4) for each in twins)
        shares = (STEP / 2, STEP / 3, 2 * STEP / 3)
        assert min(abs(float(each[0]) - share) for each in twins for share in shares) < 1e-4


def test_a_depthwise_channel_that_is_dead_gives_nothing_whatever_its_bias(net, photos):
    # Always below zero although the bias is above: what it gives the next layer is zero, not the bias.
    graph, images = net(), photos(20)
    middle = graph["depthwise1"]
    kernel, bias = middle.kernel.copy(), middle.offset.copy()
    kernel[..., 0], bias[0] = 0, 2.0
    kernel[1, 1, 0] = -9
    first = graph["conv0"]
    weight, offset = first.kernel.copy(), first.offset.copy()
    weight[..., 0], offset[0] = 0.01, 3
    graph = graph.replace(
        {
            "depthwise1": replace(middle, weight=kernel, bias=bias),
            "conv0": replace(first, weight=weight, bias=offset),
        }
    )
    assert run(graph, images, "depthwise1")[..., 0].max() == 0
    spread = prepare(graph, images)
    assert snr_db(run(graph, images, graph.logits), run(spread, images, graph.logits)) > 40


def test_a_dead_channel_behind_which_a_constant_comes_keeps_the_constant(net, photos, dead):
    graph, images = net(), photos(20)
    middle = graph["depthwise1"]
    bias = middle.offset.copy()
    bias[list(dead)] = 4.0
    graph = graph.replace({"depthwise1": replace(middle, bias=bias)})
    spread = prepare(graph, images)
    assert snr_db(run(graph, images, graph.logits), run(spread, images, graph.logits)) > 40


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_only_relu6_is_touched(activation, net, photos):
    graph = net(activation=activation)
    assert_same(prepare(graph, photos(10)), graph)


def test_channels_that_two_nodes_read_are_left_alone(net, photos):
    graph = net(head=False)
    shape = graph["conv0"].shape
    both = (*graph.nodes[:2], Node("sum", "add", ("conv0", "depthwise1"), shape))
    graph = replace(graph, nodes=both)
    assert_same(prepare(graph, photos(10)), graph)


def test_depthwise_upon_depthwise_is_not_copied(net, photos):
    # A depthwise layer's channel reads its own input: another's filter does not make it a copy.
    graph, images = net(head=False), photos(20)
    first, middle, last = graph.nodes[:3]
    second = replace(middle, name="again", inputs=(middle.name,))
    graph = replace(graph, nodes=(first, middle, second, replace(last, inputs=("again",), activation="linear")))
    spread = prepare(graph, images)
    assert snr_db(run(graph, images), run(spread, images)) > 40


def test_int8_comes_nearer(net, photos, int8, monkeypatch):
    graph, images, others = net(), photos(40), photos(40, seed=2)
    options = Options(pairs=False)  # the order of channels stays
    wanted = run(graph, others, "conv4")
    with_it = snr_db(wanted, int8(solve(graph, images, options), others)["conv4"])
    monkeypatch.setattr(channels, "prepare", lambda graph, images, entry, engine: graph)
    without = snr_db(wanted, int8(solve(graph, images, options), others)["conv4"])
    # Seen: 2.5 to 7 dB, at a channel spread that is mild for a MobileNet.
    assert with_it > without + 1
