"""The int8 grid: zero lies on it, its ends saturate, and rounding loses at most half a step."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise import HIGH, LOW, SOFTMAX_GRID, QuantisedGraph, QuantParams, Weights

LIMITS = st.floats(-1e6, 1e6, width=32)


def ends(grid):
    return (LOW - grid.zero_point) * grid.scale, (HIGH - grid.zero_point) * grid.scale


@given(LIMITS, LIMITS)
def test_a_grid_reaches_over_its_range_and_zero_is_on_it(first, second):
    low, high = sorted((first, second))
    grid = QuantParams.from_range(low, high)
    assert grid.scale > 0
    assert LOW <= grid.zero_point <= HIGH
    assert grid.quantise(np.zeros(1, np.float32))[0] == grid.zero_point
    bottom, top = ends(grid)
    # The zero point is rounded: an end may lie half a step inside.
    assert bottom <= low + 0.51 * grid.scale
    assert top >= high - 0.51 * grid.scale


@given(st.floats(-5, 0, width=32), st.floats(0.125, 7, width=32), st.lists(st.floats(-9, 9, width=32), min_size=1))
def test_rounding_loses_half_a_step_inside_and_saturates_outside(low, high, values):
    grid = QuantParams.from_range(low, high)
    x = np.float32(values)
    bottom, top = ends(grid)
    # Half a step, and float32 rounding of x / scale up to 255.
    slack = grid.scale * (0.5 + 255 * 2**-22)
    np.testing.assert_allclose(grid.round(x), np.clip(x, bottom, top), rtol=0, atol=slack)


@given(st.lists(st.floats(-9, 9, width=32), min_size=1), st.floats(0.125, 7, width=32))
def test_integers_and_reals_are_the_same_rounding(values, high):
    grid = QuantParams.from_range(-1, high)
    x = np.float32(values)
    integers = grid.quantise(x)
    assert integers.dtype == np.int8
    reals = (integers.astype(np.float32) - grid.zero_point) * np.float32(grid.scale)
    np.testing.assert_array_equal(grid.round(x), reals)
    assert grid.round(x).dtype == np.float32


def test_the_input_is_left_alone():
    x = np.float32([0.3, 9.0])
    SOFTMAX_GRID.round(x)
    assert x.tolist() == np.float32([0.3, 9.0]).tolist()


def test_relu6_uses_every_step():
    grid = QuantParams.from_range(0, 6)
    assert grid == QuantParams(float(np.float32(6 / 255)), -128)
    assert grid.quantise(np.float32([0, 6, 7, -1])).tolist() == [-128, 127, 127, -128]


@pytest.mark.parametrize(("low", "high"), [(2, 6), (-6, -2), (0, 0)])
def test_zero_is_taken_in(low, high):
    grid = QuantParams.from_range(low, high)
    assert LOW <= grid.zero_point <= HIGH
    assert grid.round(np.zeros(1, np.float32))[0] == 0


@pytest.mark.parametrize("high", [0.0, 1e-45, 1e-38, 1e-36])
def test_a_tensor_that_is_always_as_good_as_zero_has_a_grid(high):
    grid = QuantParams.from_range(0, high)
    assert grid.scale == pytest.approx(1 / 255)
    assert grid.round(np.zeros(3, np.float32)).tolist() == [0, 0, 0]


@pytest.mark.parametrize(("low", "high"), [(-math.inf, 1), (0, math.inf), (math.nan, 1), (0, math.nan)])
def test_a_range_without_end_is_refused(low, high):
    with pytest.raises(ValueError, match="has no grid"):
        QuantParams.from_range(low, high)


def test_the_scale_is_a_float32():
    # It is written as one: what is simulated and what a file holds must not differ.
    for high in (0.1, 1 / 3, 6.0, 12345.678):
        assert QuantParams.from_range(0, high).scale == float(np.float32(QuantParams.from_range(0, high).scale))


def test_a_softmax_ends_below_one():
    assert SOFTMAX_GRID.quantise(np.float32([0, 0.5, 1])).tolist() == [-128, 0, 127]


def test_the_dequantised_graph_holds_what_the_integers_stand_for():
    weight = np.float32([[0.5, -1.0], [0.25, 2.0]])
    node = Node("head", "dense", ("x",), (2,), weight, np.zeros(2, np.float32))
    graph = Graph("g", "x", (1, 1, 2), (node,))
    own = Weights(np.int8([[127, -64], [64, 127]]), np.float32([0.004, 0.016]), np.int32([10, -20]))
    grids = {"x": QuantParams(0.5, 0), "head": QuantParams(0.1, 0)}
    made = QuantisedGraph(graph, grids, {"head": own}).dequantised()["head"]
    np.testing.assert_allclose(made.kernel, [[0.508, -1.024], [0.256, 2.032]], rtol=1e-6)
    np.testing.assert_allclose(made.offset, [10 * 0.5 * 0.004, -20 * 0.5 * 0.016], rtol=1e-6)
