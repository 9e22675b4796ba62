"""Each op without weights against its definition, written out place by place in float64."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from mobilenet_edge.graph import CLOSING, Graph, Node, Op, affine, bounds, same_padding
from mobilenet_edge.graph.run import compute, run

RANDOM = np.random.default_rng(8)
X = np.asarray(RANDOM.normal(size=(2, 5, 6, 3)) * 4, np.float32)


def pool(op: Op, window: tuple[int, int], stride: int, same: bool) -> Node:
    padding = (
        tuple(same_padding(side, kernel, stride) for side, kernel in zip(X.shape[1:3], window, strict=True))
        if same
        else ((0, 0), (0, 0))
    )
    sides = [(s + sum(p) - k) // stride + 1 for s, p, k in zip(X.shape[1:3], padding, window, strict=True)]
    return Node("p", op, ("x",), (*sides, 3), stride=stride, padding=padding, window=window)


def pooled(node: Node) -> NDArray[np.float64]:
    (top, _), (left, _) = node.padding
    out = np.empty((2, *node.shape))
    for i, j in product(*map(range, node.shape[:2])):
        row, column = i * node.stride - top, j * node.stride - left
        seen = X[:, max(row, 0) : row + node.window[0], max(column, 0) : column + node.window[1]].astype(float)
        out[:, i, j] = seen.max((1, 2)) if node.op == "max_pool" else seen.mean((1, 2))
    return out


@pytest.mark.parametrize("op", ["average_pool", "max_pool"])
@pytest.mark.parametrize(("window", "stride"), [((2, 2), 2), ((3, 3), 2), ((3, 2), 1), ((1, 1), 2)])
@pytest.mark.parametrize("same", [True, False])
def test_pools_see_only_real_places(op: Op, window: tuple[int, int], stride: int, same: bool) -> None:
    node = pool(op, window, stride, same)
    np.testing.assert_allclose(compute(node, [X]), pooled(node), atol=1e-5)


@pytest.mark.parametrize(
    ("op", "wanted"),
    [
        ("sigmoid", lambda x: 1 / (1 + math.exp(-x))),
        ("hard_sigmoid", lambda x: min(max(x + 3, 0), 6) / 6),
        ("hard_swish", lambda x: x * min(max(x + 3, 0), 6) / 6),
    ],
)
def test_functions_of_one_value(op: Op, wanted) -> None:
    x = np.array([[-80, -3.5, -3, -1, 0, 0.25, 3, 3.5, 80]], np.float32)
    found = compute(Node("f", op, ("x",), (9,)), [x])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0], [wanted(float(value)) for value in x[0]], rtol=1e-6, atol=1e-7)


def test_a_sigmoid_cannot_overflow() -> None:
    with np.errstate(all="raise", under="ignore"):
        assert compute(Node("s", "sigmoid", ("x",), (2,)), [np.array([[-1e4, 1e4]], np.float32)]).tolist() == [[0, 1]]


@pytest.mark.parametrize(("op", "one"), [("add", 0.0), ("multiply", 1.0)])
def test_a_vector_is_applied_to_every_pixel_of_a_map_on_either_side(op: Op, one: float) -> None:
    vector = np.array([[1, 2, one], [3, one, one]], np.float32)
    wanted = np.stack([x + v if op == "add" else x * v for x, v in zip(X, vector, strict=True)])
    for names, inputs in ((("x", "v"), [X, vector]), (("v", "x"), [vector, X])):
        np.testing.assert_array_equal(compute(Node("n", op, names, X.shape[1:]), inputs), wanted)


def test_concat_joins_channels_and_max_reduces_the_map() -> None:
    joined = compute(Node("c", "concat", ("x", "y"), (5, 6, 6)), [X, -X])
    np.testing.assert_array_equal(joined[..., :3], X)
    np.testing.assert_array_equal(joined[..., 3:], -X)
    np.testing.assert_array_equal(compute(Node("m", "max", ("x",), (3,)), [X]), X.reshape(2, 30, 3).max(1))


@pytest.mark.parametrize("x", [X, X[:, 0, 0]], ids=["map", "vector"])
def test_an_affine_node_scales_shifts_and_clips_each_channel(x: NDArray[np.float32]) -> None:
    scale, shift = np.array([1, 0.5, -2], np.float32), np.array([0, 1, 2], np.float32)
    made = affine("a", "x", x.shape[1:], scale, shift, "relu1")
    np.testing.assert_allclose(compute(made, [x]), np.clip(x * scale + shift, 0, 1), atol=1e-6)
    assert affine("a", "x", x.shape[1:], np.float32(2), np.float32(1)).kernel.tolist() == [[[2, 2, 2]]]


def test_only_some_ops_bear_an_activation() -> None:
    assert [bounds(each) for each in ("relu", "relu6", "relu1")] == [(0, math.inf), (0, 6), (0, 1)]
    with pytest.raises(ValueError, match=r"p \(max_pool\) cannot bear"):
        Node("p", "max_pool", ("x",), (1, 1, 3), activation="relu")


@pytest.mark.parametrize("op", CLOSING)
def test_a_graph_is_cut_at_its_logits(op: Op) -> None:
    graph = Graph("g", "x", (5, 6, 3), (Node("pool", "mean", ("x",), (3,)), Node("out", op, ("pool",), (3,))))
    assert (graph.logits, graph.classes) == ("pool", 3)
    np.testing.assert_array_equal(run(graph.cut_at_logits(), X), run(graph, X, "pool"))
    assert graph.readers("x") == [graph["pool"]]
