"""Inner tensors are counted in steps, the ends and what cannot be in reals."""

from dataclasses import replace

import pytest

from mobilenet_edge.formats.tflite.unit import saturates, units
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise import QuantParams


def test_what_a_layer_reads_is_counted_in_its_steps(small, quantise):
    made = quantise(small)
    chosen = units(made)
    for node in small.weighted():
        (source,) = node.inputs
        expected = 1.0 if source == "image" else made.grids[source].scale
        assert chosen[source] == expected


def test_every_tensor_has_a_unit_that_a_mean_and_an_addition_keep(made):
    graph, chosen = made.graph, units(made)
    assert chosen.keys() == made.grids.keys()
    assert chosen[graph.input] == chosen[graph.output.name] == chosen[graph.logits] == 1.0
    for node in graph.nodes:
        if node.op in ("mean", "add"):
            assert len({chosen[name] for name in (node.name, *node.inputs)}) == 1


def test_a_clip_inside_the_grid_keeps_its_reals(small, quantise):
    made = quantise(small)
    wide = replace(made, grids={**made.grids, "dw1": QuantParams.from_range(0, 8)})
    assert units(wide)["dw1"] == 1.0
    assert units(made)["dw1"] != 1.0


@pytest.mark.parametrize(
    ("high", "does"),
    # The grid's last step may lie half a step beyond 6: there 6 rounds to it.
    [(3.0, True), (6.0, True), (6.01, True), (6.05, False), (8.0, False)],
)
def test_a_grid_saturates_where_relu6_does(high, does):
    assert saturates(QuantParams.from_range(0, high)) is does


def test_additions_of_additions_are_one_group(quantise):
    import numpy as np

    def conv(name, source):
        return Node(name, "conv", (source,), (2, 2, 2), np.eye(2, dtype=np.float32)[None, None], np.ones(2, np.float32))

    nodes = (
        conv("a", "x"), conv("b", "a"), Node("c", "add", ("a", "b"), (2, 2, 2)), conv("d", "c"),
        Node("e", "add", ("c", "d"), (2, 2, 2)), conv("f", "e"),
    )  # fmt: skip
    made = quantise(Graph("g", "x", (2, 2, 2), nodes))
    chosen = units(made)
    assert {chosen[name] for name in "abcde"} == {made.grids["e"].scale}
    assert chosen["x"] == chosen["f"] == 1.0
