"""Which grid each op gets, and what of a range its readers can tell."""

from __future__ import annotations

import pytest

from mobilenet_edge.graph import Graph, Node, Op
from mobilenet_edge.quantise import QuantParams
from mobilenet_edge.quantise.grids import choose, limits

SOURCES = [QuantParams.from_range(-1, 3), QuantParams.from_range(0, 6)]


def node(op: Op, name: str = "n", *sources: str) -> Node:
    return Node(name, op, sources or ("x",), (2, 2, 4))


@pytest.mark.parametrize("op", ["max", "max_pool", "average_pool"])
def test_what_only_selects_or_averages_stays_on_its_grid(op: Op) -> None:
    assert choose(node(op), -0.5, 2, SOURCES[:1]) is SOURCES[0]


@pytest.mark.parametrize("op", ["conv", "depthwise", "dense", "add", "multiply", "mean", "hard_swish"])
def test_what_rescales_gets_the_range_it_has(op: Op) -> None:
    assert choose(node(op), -0.5, 2, SOURCES) == QuantParams.from_range(-0.5, 2)


def test_probabilities_lie_on_fixed_grids() -> None:
    assert (
        choose(node("sigmoid"), 0, 0.4, SOURCES)
        == choose(node("softmax"), 0, 0.4, SOURCES)
        == QuantParams(1 / 256, -128)
    )
    # 1 itself is on the grid of a hard sigmoid.
    assert choose(node("hard_sigmoid"), 0, 0.4, SOURCES).high == pytest.approx(1, abs=1e-7)


def test_a_concatenation_holds_all_it_joins() -> None:
    made = choose(node("concat"), 0, 0, SOURCES)
    step = made.scale
    assert made.low <= -1 + step
    assert made.high >= 6 - step
    # One that holds the others already is taken as it is, so that nothing of it is moved.
    wide = QuantParams.from_range(-2, 9)
    assert choose(node("concat"), 0, 0, [SOURCES[0], wide, SOURCES[1]]) is wide


@pytest.mark.parametrize(
    ("readers", "least"),
    [(["hard_swish"], -3), (["hard_sigmoid"], -3), (["sigmoid"], -6.24), (["hard_swish", "mean"], -9), (["mean"], -9)],
)
def test_a_range_ends_where_all_readers_give_zero(readers: list[Op], least: float) -> None:
    made = node("conv", "n")
    graph = Graph("g", "x", (2, 2, 4), (made, *(node(op, f"r{place}", "n") for place, op in enumerate(readers))))
    assert limits(graph, made, -9, 5) == (least, 5)


def test_an_output_keeps_its_range_and_an_activation_cuts_it() -> None:
    clipped = Node("n", "conv", ("x",), (2, 2, 4), activation="relu6")
    assert limits(Graph("g", "x", (2, 2, 4), (clipped,)), clipped, -9, 8) == (0, 6)
    assert limits(Graph("g", "x", (2, 2, 4), (clipped,)), clipped, -9, -1) == (0, 0)
    last = node("conv")
    assert limits(Graph("g", "x", (2, 2, 4), (last,)), last, -9, 8) == (-9, 8)
