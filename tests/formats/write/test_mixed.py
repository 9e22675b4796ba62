"""Files with float layers in front of int8 ones: what a runtime computes is what the two parts say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mobilenet_edge.conversion.verify import run_file
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.onnx.write import mixed_onnx
from mobilenet_edge.formats.tflite.write import mixed_tflite
from mobilenet_edge.graph import CLOSING
from mobilenet_edge.graph.run import compute, run
from mobilenet_edge.quantise import QuantisedGraph
from mobilenet_edge.quantise.partition import MixedGraph, cuts, split

WRITERS = {"tflite": mixed_tflite, "onnx": mixed_onnx}
# Those of `conftest.py` that have a tensor through which everything passes.
GRAPHS = (
    "classifier", "odd sizes", "map of one", "residual", "squeeze and excite", "joined", "gated", "scaled",
    "average pools", "max pools", "binary",
)  # fmt: skip
WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "Conv", "Gemm")
every_graph = pytest.mark.parametrize("graph", GRAPHS, indirect=True)


def divide(graph, whole: QuantisedGraph, cut: str) -> MixedGraph:
    """Take the integers behind a cut from those of a whole graph."""
    front, rest = split(graph, cut)
    place = [node.name for node in whole.graph.nodes].index(cut) + 1
    return MixedGraph(front, replace(whole, graph=replace(rest, nodes=whole.graph.nodes[place:])))


@pytest.fixture
def mixed(graph, quantise):
    found = cuts(graph)
    return divide(graph, quantise(graph), found[len(found) // 2])


def simulate(mixed, images):
    """The float part in float32, then every tensor rounded to its grid, but what closes the model."""
    grids, graph = mixed.rest.grids, mixed.rest.dequantised()
    done = {graph.input: grids[graph.input].round(run(mixed.front, images))}
    for node in graph.nodes:
        value = compute(node, [done[name] for name in node.inputs])
        closing = node is graph.output and node.op in CLOSING
        done[node.name] = value if closing else grids[node.name].round(value)
    return done[graph.output.name]


@every_graph
@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_computes_what_its_parts_do(kind, mixed, batch):
    mixed = mixed.logits()
    found = run_file(kind, WRITERS[kind](mixed), batch)
    step = mixed.rest.grids[mixed.rest.graph.output.name].scale
    steps = np.abs(found - simulate(mixed, batch).reshape(found.shape)) / step
    # As for int8 files: ties fall either way, and products of two tensors amplify a step.
    amplified = any(node.op in ("multiply", "concat", "add") for node in mixed.rest.graph.nodes)
    assert steps.max() <= (6.5 if amplified else 3.5)
    assert steps.mean() <= (0.7 if amplified else 0.2)


@pytest.mark.parametrize("graph", ["classifier", "binary"], indirect=True)
@pytest.mark.parametrize("kind", WRITERS)
def test_the_closing_op_is_float(kind, mixed, batch):
    whole, logits = (run_file(kind, WRITERS[kind](part), batch) for part in (mixed, mixed.logits()))
    # On an int8 grid it would be off by up to half of 1/256.
    np.testing.assert_allclose(whole, compute(mixed.closing.nodes[0], [logits]), atol=1e-5)


@every_graph
@pytest.mark.parametrize("kind", WRITERS)
def test_the_front_stands_before_the_first_conversion(kind, mixed):
    contents = artifact.READERS[kind].contents(WRITERS[kind](mixed))
    kinds = [operator.kind for operator in contents.operators]
    front = kinds[: kinds.index("QUANTIZE" if kind == "tflite" else "QuantizeLinear")]
    assert sum(each in WEIGHTED for each in front) == mixed.layers


@every_graph
def test_the_same_parts_give_the_same_bytes(mixed):
    assert all(write(mixed) == write(mixed) for write in WRITERS.values())


@pytest.mark.parametrize("graph", ["classifier"], indirect=True)
def test_xnnpack_takes_every_node(mixed):
    from ai_edge_litert.interpreter import Interpreter

    model = Interpreter(model_content=mixed_tflite(mixed))
    model.allocate_tensors()
    (delegate,) = (each for each in model._get_ops_details() if each["op_name"] == "DELEGATE")
    names = {each["index"]: each["name"] for each in model.get_tensor_details()}
    # One delegate from the input to the softmax, which is float here.
    assert "image" in [names[index] for index in delegate["inputs"]]
    assert [names[index] for index in delegate["outputs"]] == ["predictions"]


@pytest.mark.parametrize("graph", ["classifier"], indirect=True)
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_activations_are_stored_as_asked(dtype, mixed):
    contents = artifact.READERS["onnx"].contents(mixed_onnx(mixed, dtype))
    zeros = [operator.inputs[2] for operator in contents.operators if operator.kind == "QuantizeLinear"]
    assert {contents.tensors[name].dtype for name in zeros} == {dtype}
