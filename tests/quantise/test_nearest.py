"""Weights rounded alone: within half a step, the scale with the least error, and no images."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.errors import BuildError
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise.weights import FEW, LIMIT, Rounded, half, nearest


def pointwise(weight: np.ndarray) -> Graph:
    """One 1x1 convolution with these weights (in, out)."""
    inside, out = weight.shape
    node = Node("pw", "conv", ("x",), (4, 4, out), weight[None, None].astype(np.float32), np.zeros(out, np.float32))
    return Graph("one", "x", (4, 4, inside), (node,))


def rounded(weight: np.ndarray) -> Rounded:
    return nearest(pointwise(weight))["pw"]


def normal(inside: int, out: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(size=(inside, out)) * random.uniform(1e-3, 30, out)


def test_every_weight_inside_the_range_is_within_half_a_step():
    weight = normal(64, 20)
    made = rounded(weight)
    assert (made.integers.dtype, made.scales.dtype) == (np.int8, np.float32)
    assert (made.integers.shape, made.scales.shape) == ((1, 1, 64, 20), (20,))
    inside = np.abs(weight) <= LIMIT * made.scales
    steps = np.abs(made.integers[0, 0] - weight / made.scales)
    # float32 keeps 24 bits of a quotient of at most 127.
    assert steps[inside].max() <= 0.5 + 1e-4
    assert np.abs(made.integers).max() <= LIMIT


def test_weights_beyond_the_range_are_its_end():
    weight = normal(64, 20)
    made = rounded(weight)
    beyond = np.abs(weight) > (LIMIT + 0.5) * made.scales
    np.testing.assert_array_equal(made.integers[0, 0][beyond], np.sign(weight[beyond]) * LIMIT)


def test_no_scale_of_the_whole_range_is_better():
    weight = normal(256, 50)
    made = rounded(weight)
    full = np.abs(weight).max(axis=0) / LIMIT
    plain = np.rint(weight / full) * full
    own = made.integers[0, 0] * made.scales
    errors = [((each - weight) ** 2).sum(axis=0) for each in (own, plain)]
    # The whole range is among the candidates; float32 arithmetic may decide a near tie otherwise.
    assert (errors[0] <= errors[1] * (1 + 1e-4)).all()
    assert errors[0].sum() < errors[1].sum()


def test_weights_on_a_grid_are_kept_exactly():
    integers = np.random.default_rng(1).integers(-LIMIT, LIMIT + 1, (64, 8))
    integers[0] = LIMIT
    scales = 2.0 ** -np.arange(8)
    made = rounded(integers * scales)
    np.testing.assert_array_equal(made.integers[0, 0], integers)
    np.testing.assert_allclose(made.scales, scales, rtol=1e-6)


def test_the_node_it_stands_for_keeps_all_but_its_weight():
    graph = pointwise(normal(64, 4))
    (node,) = graph.nodes
    made = nearest(graph)["pw"].dequantised(node)
    assert made.kernel.dtype == np.float32
    assert made.bias is node.bias
    assert (made.name, made.op, made.inputs, made.shape) == (node.name, node.op, node.inputs, node.shape)
    # Steps of 1/100 to 1/127 of the largest weight: 7 bits are about 40 dB.
    noise = ((made.kernel - node.kernel) ** 2).sum() / (node.kernel**2).sum()
    assert 10 * np.log10(noise) < -35


@pytest.mark.parametrize("value", [0.0, 1e-38, 1e-45])
def test_a_channel_of_nothing_is_zero_and_finite(value):
    weight = normal(64, 3)
    weight[:, 1] = value
    made = rounded(weight)
    assert not made.integers[0, 0, :, 1].any()
    assert np.isfinite(made.scales).all()
    assert (made.scales > 0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused(value):
    weight = normal(64, 3)
    weight[5, 1] = value
    with pytest.raises(BuildError, match="layer 'pw' has weights that are NaN or infinite"):
        rounded(weight)


@pytest.mark.parametrize(("inside", "expected"), [(FEW, set()), (FEW + 1, {"pw"})])
def test_outputs_of_few_weights_are_left_alone(inside, expected):
    assert nearest(pointwise(normal(inside, 500))).keys() == expected


def test_depthwise_filters_are_left_alone():
    weight = np.ones((3, 3, 512), np.float32)
    node = Node("dw", "depthwise", ("x",), (4, 4, 512), weight, np.zeros(512, np.float32))
    assert nearest(Graph("one", "x", (4, 4, 512), (node,))) == {}


def test_half_rounds_to_eleven_bits():
    (node,) = pointwise(normal(64, 4)).nodes
    made = half(node)
    assert made.dtype == np.float16
    # Below 2^-14 float16 has fixed steps of 2^-24 instead.
    np.testing.assert_allclose(made.astype(np.float32), node.kernel, rtol=2**-11, atol=2**-25)


@pytest.mark.parametrize("value", [65_536.0, -1e9, np.nan, np.inf])
def test_half_refuses_what_it_cannot_hold(value):
    (node,) = pointwise(np.full((4, 4), value)).nodes
    with pytest.raises(BuildError, match="layer 'pw' has weights that float16 cannot hold"):
        half(node)
