"""The instruction in integers, sum by sum, and what is said about it without any activations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mobilenet_edge.formats.onnx.products import Product, matrix
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise import QuantisedGraph, QuantParams, Weights, rounding
from mobilenet_edge.quantise import saturation as it
from mobilenet_edge.quantise.rounding import MAX_PAIR


def by_hand(activations, weights):
    """Sums and how many were cut off, one Python integer at a time."""
    rows, size = activations.shape
    total, cut = np.zeros((rows, weights.shape[1]), np.int64), 0
    for row in range(rows):
        for out in range(weights.shape[1]):
            for place in range(0, size, 2):
                pair = range(place, min(place + 2, size))
                exact = sum(int(activations[row, k]) * int(weights[k, out]) for k in pair)
                held = min(max(exact, -32768), 32767)
                total[row, out] += held
                cut += held != exact
    return total, cut


@st.composite
def matrices(draw):
    rows, size, out = draw(st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 4)))
    high = st.integers(0, 255) | st.sampled_from([0, 254, 255])
    far = st.integers(-128, 127) | st.sampled_from([-128, -127, 1, 127])
    return (
        draw(arrays.arrays(np.uint8, (rows, size), elements=high)),
        draw(arrays.arrays(np.int8, (size, out), elements=far)),
    )


@given(matrices())
def test_sums_and_count_are_those_by_hand(both):
    total, cut = by_hand(*both)
    np.testing.assert_array_equal(it.accumulate(*both), total)
    assert it.cut_off(*both) == cut


@given(matrices())
def test_head_room_is_the_truth_about_every_activation(both):
    _, weights = both
    room = it.head_room(weights)
    size, out = weights.shape
    assert room.pairs == (size + 1) // 2 * out
    # Only the extremes matter: each activation at 0 or 255 is where a pair's sum is largest or smallest.
    corners = np.array([[a, b] for a in (0, 255) for b in (0, 255)], np.uint8)
    over = 0
    for place in range(0, size, 2):
        pair = weights[place : place + 2]
        over += sum(it.cut_off(corners[:, : len(pair)], pair[:, [one]]) > 0 for one in range(out))
    assert room.over == over
    assert (room.largest > MAX_PAIR) == (over > 0)


@pytest.mark.parametrize(
    ("pair", "largest", "over"),
    [
        ((127, 1), 128, 0),
        ((127, 2), 129, 1),
        ((127, -127), 127, 0),
        ((-128, 0), 128, 0),
        ((-64, -64), 128, 0),
        ((-64, -65), 129, 1),
        ((0, 0), 0, 0),
    ],
)
def test_the_limit(pair, largest, over):
    assert it.head_room(np.array(pair, np.int8)[:, None]) == it.HeadRoom(1, largest, over)


def test_cut_off_sums_both_ways():
    full = np.array([[255, 255]], np.uint8)
    pairs = np.array([[127, -128, 64], [127, -128, 64]], np.int8)
    np.testing.assert_array_equal(it.accumulate(full, pairs), [[32767, -32768, 255 * 128]])
    assert it.cut_off(full, pairs) == 2


def test_pairs_begin_at_even_places_and_the_last_of_an_odd_number_is_alone():
    full = np.full((1, 5), 255, np.uint8)
    between = np.array([[0], [127], [127], [0], [127]], np.int8)
    assert it.cut_off(full, between) == 0
    assert it.accumulate(full, between) == 3 * 255 * 127
    within = np.array([[127], [127], [0], [0], [0]], np.int8)
    assert it.cut_off(full, within) == 1


def test_nothing_is_counted_in_no_weights():
    empty = np.empty((4, 0), np.int8)
    assert it.head_room(empty) == it.HeadRoom(0, 0, 0)
    assert it.cut_off(np.full((2, 4), 255, np.uint8), empty) == 0


def test_large_layers_are_looked_at_piece_by_piece(monkeypatch):
    random = np.random.default_rng(4)
    activations = random.integers(0, 256, (50, 30)).astype(np.uint8)
    weights = random.integers(-128, 128, (30, 20)).astype(np.int8)
    whole = it.cut_off(activations, weights)
    assert whole > 0
    monkeypatch.setattr(it, "_TOGETHER", 60)
    assert it.cut_off(activations, weights) == whole


def product(weights, layout):
    values = memoryview(weights.tobytes())
    return Product("w", "any", "uint8", "int8", weights.shape, layout, False, values)


def test_weights_in_the_order_the_kernels_read_them():
    stored = np.arange(24, dtype=np.int8)
    kernel = stored.reshape(2, 3, 2, 2)
    wide = matrix(product(kernel, "conv"))
    assert wide.shape == (12, 2)
    # Height, width, input channel: the channels of one place of the kernel are neighbours.
    np.testing.assert_array_equal(wide[:3, 0], kernel[0, :, 0, 0])
    np.testing.assert_array_equal(wide[3:6, 1], kernel[1, :, 0, 1])
    table = stored.reshape(4, 6)
    np.testing.assert_array_equal(matrix(product(table, "in, out")), table)
    np.testing.assert_array_equal(matrix(product(table, "out, in")), table.T)
    stack = stored.reshape(2, 4, 3)
    np.testing.assert_array_equal(matrix(product(stack, "in, out")), np.hstack(list(stack)))


def test_weights_that_do_not_fill_their_shape_are_refused():
    whole = product(np.zeros((4, 6), np.int8), "in, out")
    for values in (memoryview(b""), whole.values[:-1]):
        with pytest.raises(ValueError, match=r"buffer|reshape"):
            matrix(replace(whole, values=values))


def chain(first, second):
    """A convolution with padding, a depthwise one and a dense layer, all of them with weights of 127 and 0."""
    conv = Node("conv", "conv", ("image",), (4, 4, 2), np.ones((3, 3, 1, 2), np.float32), np.zeros(2, np.float32), 1,
                ((1, 1), (1, 1)))  # fmt: skip
    depthwise = Node("dw", "depthwise", ("conv",), (4, 4, 2), np.ones((1, 1, 2), np.float32), np.zeros(2, np.float32))
    pool = Node("pool", "mean", ("dw",), (2,))
    head = Node("head", "dense", ("pool",), (3,), np.ones((2, 3), np.float32), np.zeros(3, np.float32))
    out = Node("out", "softmax", ("head",), (3,))
    graph = Graph("chain", "image", (4, 4, 1), (conv, depthwise, pool, head, out))
    grids = {
        "image": first,
        "conv": QuantParams(1.0, -128),
        "dw": QuantParams(1.0, -128),
        "pool": QuantParams(1.0, -128),
    }
    grids |= {"head": QuantParams(1.0, 0), "out": QuantParams(1 / 256, -128)}
    weights = {}
    for node, value in ((conv, second), (depthwise, 127), (head, 127)):
        outputs = node.kernel.shape[-1]
        integers, scales = np.full(node.kernel.shape, value, np.int8), np.full(outputs, 1 / 16, np.float32)
        weights[node.name] = Weights(integers, scales, np.zeros(outputs, np.int32))
    return QuantisedGraph(graph, grids, weights)


def test_a_network_is_counted_layer_by_layer():
    white = np.full((2, 4, 4, 1), 255, np.float32)
    counted = it.count(chain(QuantParams(1.0, -128), 127), white)
    # The kernel's nine places make pairs (0,1) (2,3) (4,5) (6,7): the bottom right one is alone. At zero the border
    # takes part in none; one image has 4 + 4 * 4 + 4 * 3 of them on which no place is off the image, for each output.
    places = np.pad(np.ones((4, 4), int), 1)
    taps = np.lib.stride_tricks.sliding_window_view(places, (3, 3)).reshape(16, 9)
    both = (taps[:, 0:8:2] & taps[:, 1:8:2]).sum()
    assert counted == {"conv": 2 * 2 * both, "head": 2 * 3}


def test_padding_is_the_zero_point_and_counts_as_what_lies_in_memory():
    black = np.zeros((1, 4, 4, 1), np.float32)
    # Zero is 255 in memory: every pair of every place overflows, on the border as inside.
    assert it.count(chain(QuantParams(1.0, 127), 127), black)["conv"] == 16 * 4 * 2
    assert it.count(chain(QuantParams(1.0, -128), 127), black)["conv"] == 0


def test_weights_within_the_limit_never_overflow():
    white = np.full((1, 4, 4, 1), 255, np.float32)
    assert it.count(chain(QuantParams(1.0, -128), MAX_PAIR // 2), white)["conv"] == 0


def test_every_second_place_gives_about_half():
    white = np.full((2, 4, 4, 1), 255, np.float32)
    made = chain(QuantParams(1.0, 127), 127)
    assert it.count(made, white, step=2)["conv"] * 2 == it.count(made, white)["conv"]


def test_the_quantiser_keeps_the_same_limit():
    random = np.random.default_rng(2)
    weight, root = random.normal(size=(1, 31, 40)), random.normal(size=(31, 31))
    covariance = rounding.damped((root @ root.T)[None], 0.01)
    scale = np.abs(weight).max(1) / 127
    free, held = (rounding.integers(weight, covariance, scale, pairs)[0].astype(np.int8) for pairs in (False, True))
    assert it.head_room(free).over > 0
    assert it.head_room(held).over == 0
    # As far as it may go, or the limit would cost more than it must.
    assert it.head_room(held).largest == MAX_PAIR
