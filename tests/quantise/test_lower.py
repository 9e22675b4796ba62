"""Hard functions become layers and products, which compute the same."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.graph.run import run, tensors
from mobilenet_edge.quantise import QuantisedGraph, QuantParams
from mobilenet_edge.quantise.lower import fuse, lower
from mobilenet_edge.quantise.solve import EFFORTS, solve

X = np.asarray(np.random.default_rng(4).uniform(-1, 1, (12, 4, 4, 3)), np.float32)


def conv(name: str, source: str, shape: tuple[int, ...], activation="linear") -> Node:
    random = np.random.default_rng(len(name))
    weight = np.asarray(random.normal(size=(1, 1, 3, 3)) * 3, np.float32)
    return Node(name, "conv", (source,), shape, weight, np.ones(3, np.float32), activation=activation)


def graph(*nodes: Node) -> Graph:
    return Graph("g", "x", (4, 4, 3), nodes)


def quantised(made: Graph) -> QuantisedGraph:
    """Grids of the values, no weights."""
    grids = {name: QuantParams.from_range(float(value.min()), float(value.max())) for name, value in tensors(made, X)}
    return QuantisedGraph(made, grids, {})


def test_a_hard_sigmoid_joins_the_layer_it_alone_reads() -> None:
    plain = graph(conv("c", "x", (4, 4, 3)), Node("gate", "hard_sigmoid", ("c",), (4, 4, 3)))
    fused = fuse(plain)
    assert [(node.name, node.op, node.activation) for node in fused.nodes] == [("gate", "conv", "relu1")]
    np.testing.assert_allclose(run(fused, X), run(plain, X), atol=1e-6)


@pytest.mark.parametrize("case", ["read twice", "clipped before", "of the input", "of a sum"])
def test_it_stays_where_another_reads_what_it_reads(case: str) -> None:
    shape = (4, 4, 3)
    first = conv("c", "x", shape, "relu" if case == "clipped before" else "linear")
    total = Node("sum", "add", ("c", "x"), shape)
    gate = Node("gate", "hard_sigmoid", ({"of the input": "x", "of a sum": "sum"}.get(case, "c"),), shape)
    end = Node("end", "multiply", ("gate", "c" if case == "read twice" else "gate"), shape)
    plain = graph(first, total, gate, end)
    assert [node.name for node in fuse(plain).nodes] == ["c", "sum", "gate", "end"]


@pytest.mark.parametrize("vector", [False, True])
@pytest.mark.parametrize("op", ["hard_sigmoid", "hard_swish"])
def test_what_is_left_becomes_ops_with_integer_kernels(op, vector: bool) -> None:
    scaled = Node("scaled", "add", ("x", "x"), (4, 4, 3))
    pool = [Node("pool", "mean", ("scaled",), (3,))] if vector else []
    source, shape = ("pool", (3,)) if vector else ("scaled", (4, 4, 3))
    plain = quantised(graph(scaled, *pool, Node("f", op, (source,), shape)))
    made = lower(plain)
    assert {node.op for node in made.graph.nodes} <= {"add", "mean", "depthwise", "multiply"}
    assert made.graph.output.name == "f"
    assert made.grids.keys() == {name for name, _ in tensors(made.graph, X)}
    # Weights and bias are on their grids but for a half step of the bias, input scale / 762.
    np.testing.assert_allclose(run(made.dequantised(), X), run(plain.graph, X), atol=1e-4)


def test_the_quantiser_gives_integers_for_a_whole_block() -> None:
    shape = (4, 4, 3)
    dense = Node("d", "dense", ("pool",), (3,), np.eye(3, dtype=np.float32) * 4, np.ones(3, np.float32))
    plain = graph(
        conv("c", "x", shape), Node("hs", "hard_swish", ("c",), shape), Node("pool", "mean", ("hs",), (3,)), dense,
        Node("gate", "hard_sigmoid", ("d",), (3,)), Node("scaled", "multiply", ("hs", "gate"), shape),
        Node("top", "max_pool", ("scaled",), (2, 2, 3), stride=2, window=(2, 2)),
        Node("both", "concat", ("top", "top"), (2, 2, 6)),
    )  # fmt: skip
    made = solve(plain, X, EFFORTS["fast"])
    assert [node.name for node in made.graph.nodes] == [
        "c", "hs/gate", "hs", "pool", "gate", "scaled", "top", "both",
    ]  # fmt: skip
    assert made.grids["scaled"] == made.grids["top"] == made.grids["both"]
    wanted = run(plain, X)
    noise = run(made.dequantised(), X) - wanted
    # Rounded weights alone: eight bits of three inputs.
    assert 10 * np.log10((wanted**2).mean() / (noise**2).mean()) > 30
