"""Samples of a layer: which pixels, and what a kernel sees there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenet_edge.graph import NO_PADDING, Node
from mobilenet_edge.graph.run import linear
from mobilenet_edge.quantise import QuantParams
from mobilenet_edge.quantise.places import Places, windows
from mobilenet_edge.quantise.solve import Options

PARAMS = QuantParams(0.05, -20)


def node(op, kernel, side, stride=1, padding=NO_PADDING):
    random = np.random.default_rng(0)
    weight, bias = random.normal(size=kernel), random.normal(size=kernel[-1])
    shape = (side, side, kernel[-1]) if op != "dense" else kernel[-1:]
    return Node("n", op, ("x",), shape, weight.astype(np.float32), bias.astype(np.float32), stride, padding)


LAYERS = {
    "1x1": (node("conv", (1, 1, 3, 5), 9), (9, 9, 3)),
    "1x1 of two steps": (node("conv", (1, 1, 3, 5), 9, 2), (17, 17, 3)),
    "3x3 of two steps": (node("conv", (3, 3, 3, 4), 9, 2, ((0, 1), (0, 1))), (18, 18, 3)),
    "depthwise": (node("depthwise", (3, 3, 4), 9, 1, ((1, 1), (1, 1))), (9, 9, 4)),
    "dense": (node("dense", (7, 3), 1), (7,)),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("steps", [(1, 1), (2, 1), (4, 3)])
def test_taps_times_the_kernel_are_the_outputs_there(name, steps):
    layer, shape = LAYERS[name]
    places = Places((9, 9), steps) if len(layer.shape) == 3 else Places((1, 1), (1, 1))
    integers = np.random.default_rng(1).integers(-128, 128, (4, *shape)).astype(np.int8)
    seen = PARAMS.scale * (windows(layer, integers, PARAMS.zero_point, places) - PARAMS.zero_point)
    kernel = layer.kernel.reshape(seen.shape[1], -1)
    outputs = np.einsum("ckn,kc->cn", seen, kernel) if layer.op == "depthwise" else kernel.T @ seen[0]
    wanted = places.take(linear(layer, [PARAMS.reals(integers)]))
    assert wanted.shape == (4 * places.count, layer.shape[-1])
    np.testing.assert_allclose(outputs.T + layer.offset, wanted, rtol=1e-4, atol=1e-4)


@given(st.integers(1, 112), st.integers(1, 112), st.integers(1, 500), st.integers(1, 60_000))
def test_samples_are_enough_and_not_many_more(height, width, images, samples):
    layer = replace(node("conv", (1, 1, 2, 3), 1), shape=(height, width, 3))
    places = Places.choose(layer, images, samples)
    assert places.count == len(places.rows) * len(places.columns)
    assert (places.rows < height).all()
    assert (places.columns < width).all()
    assert images * places.count >= min(samples, images * height * width)
    if height == width:
        # A pattern without its first row and column, one step finer than needed.
        assert places.count <= 6 * -(-samples // images)


def test_depthwise_layers_need_fewer():
    conv, depthwise = (node(op, (1, 1, 8, 8)[-4 if op == "conv" else -3 :], 112) for op in ("conv", "depthwise"))
    assert Options().places(conv, 100).count > 3 * Options().places(depthwise, 100).count
