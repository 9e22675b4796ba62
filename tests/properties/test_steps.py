"""Quantise, then dequantise: half a step is all that is lost, whatever the range, and nothing the second time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise import HIGH, LOW, QuantParams
from mobilenet_edge.quantise.weights import FEW, LIMIT, nearest

ALL = np.arange(LOW, HIGH + 1)
# From about the smallest scale that kernels take to where a thousand steps are still a float32.
END = st.floats(2.0**-110, 2.0**120, width=32)
SIGNED = END | END.map(lambda x: -x) | st.just(0.0)
# A quotient of up to 255 steps is rounded to 24 bits, and so is the product.
SLACK = 0.5 + 255 * 2**-22


@st.composite
def grids(draw: st.DrawFn) -> QuantParams:
    return QuantParams.from_range(*sorted((draw(SIGNED), draw(SIGNED))))


def reals(grid: QuantParams) -> np.ndarray:
    """What every integer of a grid stands for, float32."""
    return np.asarray((ALL - grid.zero_point).astype(np.float32) * np.float32(grid.scale))


@given(grids(), st.lists(st.floats(0, 1, width=32), min_size=1))
def test_within_the_grid_half_a_step_is_lost(grid: QuantParams, shares: list[float]) -> None:
    low, high = reals(grid)[[0, -1]].astype(np.float64)
    x = np.asarray(low + np.float64(shares) * (high - low), np.float32)
    back = (grid.quantise(x).astype(np.float64) - grid.zero_point) * grid.scale
    assert np.abs(back - x).max() <= SLACK * grid.scale
    np.testing.assert_allclose(grid.round(x), back, rtol=2**-22, atol=0)


@given(grids())
def test_every_integer_comes_back(grid: QuantParams) -> None:
    held = reals(grid)
    np.testing.assert_array_equal(grid.quantise(held), ALL)
    np.testing.assert_array_equal(grid.round(held), held)


@given(grids(), st.lists(st.floats(-1000, 1000, width=32), min_size=1))
def test_a_second_time_nothing_is_lost_and_order_is_kept(grid: QuantParams, steps: list[float]) -> None:
    x = np.sort(np.float32(steps) * np.float32(grid.scale))
    once = grid.round(x)
    np.testing.assert_array_equal(grid.round(once), once)
    assert (np.diff(grid.quantise(x).astype(int)) >= 0).all()


@given(arrays.arrays(np.float32, (FEW + 2, 3), elements=st.floats(-1e6, 1e6, width=32)))
def test_weights_lose_half_a_step_of_their_channel(weight: np.ndarray) -> None:
    node = Node("pw", "conv", ("x",), (1, 1, 3), weight[None, None], np.zeros(3, np.float32))
    made = nearest(Graph("one", "x", (1, 1, FEW + 2), (node,)))["pw"]
    assert np.abs(made.integers).max() <= LIMIT
    back = made.dequantised(node).kernel[0, 0].astype(np.float64)
    end = LIMIT * made.scales.astype(np.float64)
    # A scale may be chosen that clips the few largest; what is within its range is not clipped.
    lost = np.abs(back - np.clip(weight, -end, end))
    assert (lost <= SLACK * made.scales).all()
