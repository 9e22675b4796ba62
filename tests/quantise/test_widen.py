"""Idle channels appended to the first block: the same network, and a nearer int8 form of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mobilenet_edge.evaluation.scores import snr_db
from mobilenet_edge.formats.onnx.write import int8_onnx
from mobilenet_edge.formats.tflite.write import int8_tflite
from mobilenet_edge.graph.run import compute, run
from mobilenet_edge.quantise.saturation import head_room
from mobilenet_edge.quantise.solve import Options, solve
from mobilenet_edge.quantise.widen import widen


def test_only_the_shapes_of_the_first_block_change(net, photos):
    graph, images = net(), photos(5)
    wide = widen(graph, 16)
    shapes = {node.name: (node.shape, node.kernel.shape) for node in wide.weighted()}
    assert shapes["conv0"] == ((12, 12, 16), (3, 3, 3, 16))
    assert shapes["depthwise1"] == ((12, 12, 16), (3, 3, 16))
    assert shapes["conv2"] == (graph["conv2"].shape, (1, 1, 16, 16))
    for old, new in zip(graph.nodes[3:], wide.nodes[3:], strict=True):
        assert new is old
    np.testing.assert_allclose(run(wide, images), run(graph, images), rtol=1e-5)


def test_the_channels_are_doubled_at_most(net):
    assert widen(net(), 64)["conv0"].shape == (12, 12, 16)


@pytest.mark.parametrize("width", [0, 8])
def test_a_block_that_is_wide_enough_stays(width, net):
    graph = net()
    assert widen(graph, width) is graph


def test_a_graph_without_such_a_block_stays(net):
    graph = net(activation="relu")
    assert widen(graph, 16) is graph


def test_only_a_block_that_reads_the_input_is_widened(net):
    graph = net()
    graph = graph.replace({"conv0": replace(graph["conv0"], activation="relu")})
    # The block of conv2 is the first that is left, and its cost grows with the network.
    assert widen(graph, 32) is graph


def test_every_appended_channel_holds_a_copy_and_int8_comes_nearer(net, photos, int8):
    graph, images, others = net(1), photos(40), photos(40, seed=2)
    ratios = []
    for width in (0, 16):
        quantised = solve(graph, images, Options(width=width))
        read = compute(quantised.dequantised()["conv2"], [int8(quantised, others)["depthwise1"]])
        ratios.append(snr_db(run(quantised.graph, others, "conv2"), read))
    assert np.abs(quantised.weights["conv0"].integers).max(axis=(0, 1, 2)).min() > 0
    # Seen: 49.5 and 53.1 dB, the rounding of the image and of weights included.
    assert ratios[1] > ratios[0] + 1
    for node in quantised.graph.weighted():
        if node.op != "depthwise":
            integers = quantised.weights[node.name].integers
            assert head_room(integers.reshape(-1, integers.shape[-1])).over == 0


@pytest.mark.parametrize("write", [int8_tflite, int8_onnx])
def test_same_input_gives_same_bytes(write, net, photos):
    first, second = (write(solve(net(), photos(20), Options(width=16))) for _ in range(2))
    assert first == second
