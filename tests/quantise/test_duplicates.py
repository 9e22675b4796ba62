"""Copies of sensitive channels in idle ones: only where no image can wake them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mobilenet_edge.evaluation.scores import snr_db
from mobilenet_edge.graph.run import run
from mobilenet_edge.quantise import channels
from mobilenet_edge.quantise.bounds import bounds
from mobilenet_edge.quantise.solve import INPUT_GRID


@pytest.fixture
def red(net):
    """A network whose first layer has a channel that fires on red, and on nothing else."""
    graph = net()
    first = graph["conv0"]
    kernel, bias = first.kernel.copy(), first.offset.copy()
    kernel[..., 1], bias[1] = 0, -5
    kernel[1, 1, :, 1] = (5, -3, -3)
    middle, last = graph["depthwise1"], graph["conv2"]
    passing, offset = middle.kernel.copy(), middle.offset.copy()
    passing[..., 1], offset[1] = 0.1, 0
    last.kernel[0, 0, 1] = np.random.default_rng(0).normal(size=16)
    return graph.replace(
        {
            "conv0": replace(first, weight=kernel, bias=bias),
            "depthwise1": replace(middle, weight=passing, bias=offset),
        }
    )


def green_and_blue(photos, count):
    images = photos(count)
    images[..., 0] = -1
    return images


def test_a_channel_that_fires_on_red_survives_calibration_without_red(red, photos, monkeypatch):
    seen, others = green_and_blue(photos, 40), photos(40, seed=2)
    assert run(red, seen, "conv0")[..., 1].max() == 0
    others[..., 0], others[..., 1:] = 1, -0.9
    assert run(red, others, "conv0")[..., 1].min() > 5
    # The copies alone: ranges that were measured without red do cut off some of it.
    monkeypatch.setattr(channels, "equalise", lambda graph, stats: graph)
    prepared = channels.prepare(red, seen, INPUT_GRID)
    assert (prepared["conv0"].kernel != red["conv0"].kernel).any()
    # Overwritten, it leaves less than 10 dB.
    assert snr_db(run(red, others, red.logits), run(prepared, others, red.logits)) > 30
    mute = red["conv0"].offset - 99 * np.eye(8, dtype=np.float32)[1]
    without = red.replace({"conv0": replace(red["conv0"], bias=mute)})
    assert snr_db(run(red, others, red.logits), run(without, others, red.logits)) < 10


def test_a_channel_that_moves_no_logit_gets_no_copy_however_large_its_weights(net, photos, dead):
    graph = net()
    last, end = graph["conv2"], graph["conv4"]
    kernel, after = last.kernel.copy(), end.kernel.copy()
    # Channel 4 makes channel 8 of the next layer alone, which is not read any further.
    kernel[0, 0, 4] = 0
    kernel[0, 0, :, 8] = 0
    kernel[0, 0, 4, 8] = 99
    after[0, 0, 8] = 0
    graph = graph.replace({"conv2": replace(last, weight=kernel), "conv4": replace(end, weight=after)})
    shares = channels.prepare(graph, photos(20), INPUT_GRID)["conv2"].kernel[0, 0]
    for channel in dead:
        copied = np.flatnonzero((shares == shares[channel]).all(axis=1))
        assert len(copied) > 1
        assert 4 not in copied


@pytest.mark.parametrize("seed", range(2))
def test_no_image_passes_the_bounds(seed, net):
    graph = net(seed)
    limits = bounds(graph.nodes, graph.input, INPUT_GRID)
    assert limits.keys() == {"conv0", "depthwise1", "conv2", "depthwise3", "conv4"}
    # The ends of the range, pixel by pixel, reach further than pictures do.
    images = np.random.default_rng(seed).choice(np.float32([-1, 1]), (100, *graph.input_shape))
    for name, limit in limits.items():
        values = run(graph, images, name)
        assert (values >= limit.low - 1e-4).all()
        assert (values <= limit.high + 1e-4).all()
        assert (limit.low <= limit.high).all()


def test_the_first_bounds_are_reached(net):
    # Each channel of a convolution has an image that makes it as large as its weights allow.
    graph = net(activation="linear")
    node = graph["conv0"]
    high = bounds(graph.nodes, graph.input, INPUT_GRID)["conv0"].high
    for channel in range(8):
        image = np.zeros((1, *graph.input_shape), np.float32)
        signs = np.sign(node.kernel[..., channel]) * np.where(node.kernel[..., channel] > 0, 1, 129 / 128)
        image[0, 3:6, 3:6] = signs
        assert run(graph, image, "conv0")[0, 4, 4, channel] == pytest.approx(high[channel], rel=1e-4)
