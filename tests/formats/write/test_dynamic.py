"""Files of int8 weights under float activations: a quarter of the size, float32 speed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest

from mobilenet_edge.errors import BuildError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.onnx.products import products
from mobilenet_edge.formats.onnx.write import dynamic_onnx, float_onnx
from mobilenet_edge.formats.tflite.write import dynamic_tflite, float_tflite
from mobilenet_edge.graph import Graph
from mobilenet_edge.graph.run import run
from mobilenet_edge.quantise import weights
from mobilenet_edge.quantise.weights import Rounded, nearest

WRITERS = {"tflite": dynamic_tflite, "onnx": dynamic_onnx}
FLOAT = {"tflite": float_tflite, "onnx": float_onnx}
KINDS = tuple(WRITERS)


@pytest.fixture
def all_rounded(monkeypatch):
    """Round layers of few weights too, so that small graphs show every kind of layer in int8."""
    monkeypatch.setattr(weights, "FEW", 0)


def meant(graph: Graph, made: dict[str, Rounded]) -> Graph:
    """The graph with the weights that the file holds."""
    nodes = {}
    for node in graph.weighted():
        half = replace(node, weight=node.kernel.astype(np.float16).astype(np.float32))
        nodes[node.name] = made[node.name].dequantised(node) if node.name in made else half
    return graph.replace(nodes)


def constants(graph: Graph) -> dict[str, np.ndarray]:
    model = onnx.load_from_string(dynamic_onnx(graph, nearest(graph)))
    return {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}


def check(kind, graph, path, outputs):
    made = nearest(graph)
    path.write_bytes(WRITERS[kind](graph, made))
    batch = np.random.default_rng(3).uniform(-1, 1, (6, *graph.input_shape)).astype(np.float32)
    # The activations stay float: only sums in another order differ from the graph with those very weights.
    np.testing.assert_allclose(outputs(path, batch), run(meant(graph, made), batch), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("all_rounded")
def test_a_file_computes_what_the_integers_stand_for(kind, graph, tmp_path, outputs):
    check(kind, graph, tmp_path / f"model.{kind}", outputs)


@pytest.mark.parametrize("kind", KINDS)
def test_layers_that_are_not_rounded_are_kept_in_float16(kind, wide, tmp_path, outputs):
    check(kind, wide, tmp_path / f"model.{kind}", outputs)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("all_rounded")
def test_the_given_integers_and_scales_stand_in_the_file(kind, small):
    made = nearest(small)
    found = artifact.READERS[kind].contents(WRITERS[kind](small, made))
    orders = {
        "tflite": {"conv": (3, 0, 1, 2), "depthwise": (0, 1, 2), "dense": (1, 0)},
        "onnx": {"conv": (3, 2, 0, 1), "depthwise": (2, 0, 1), "dense": (1, 0)},
    }
    for node in small.weighted():
        stored = found.tensors[f"{node.name}/w"]
        own = made[node.name]
        assert stored.dtype == "int8"
        expected = own.integers.transpose(orders[kind][node.op])
        np.testing.assert_array_equal(np.frombuffer(stored.constant, np.int8), expected.reshape(-1))
        scales = np.array(stored.scales, np.float32) if kind == "tflite" else constants(small)[f"{node.name}/w/scale"]
        np.testing.assert_array_equal(scales.reshape(-1), own.scales)


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_with_few_weights_are_float16(kind, wide):
    found = artifact.READERS[kind].contents(WRITERS[kind](wide, nearest(wide)))
    dtypes = {node.name: found.tensors[f"{node.name}/w"].dtype for node in wide.weighted()}
    # 27 weights an output in the first convolution, 9 in a depthwise one, at least 64 elsewhere.
    assert dtypes == {"conv1": "float16", "dw": "float16", "pw": "int8", "head": "int8"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_a_quarter_of_the_size(kind, wide):
    floor = sum(node.kernel.size + 8 * node.offset.size for node in wide.weighted())
    size = len(WRITERS[kind](wide, nearest(wide)))
    # The 2,304 weights of the first layers stay float16, and in .tflite a zero point of 8 bytes stands beside a scale;
    # the graph itself takes 3 kB, which is much for so small a network.
    assert floor < size < floor + 2304 + 8 * 228 + 4096
    assert size < 0.35 * len(FLOAT[kind](wide))


@pytest.mark.parametrize("kind", KINDS)
def test_the_parts_of_a_file_are_told_apart(kind, wide):
    found = artifact.READERS[kind].contents(WRITERS[kind](wide, nearest(wide)))
    rounded, kept = 64 * 128 + 128 * 100, 2 * (27 * 64 + 9 * 64)
    assert found.sections["weights"] == rounded + kept
    # Scales of 4 bytes, and in .tflite zero points of 8.
    assert 4 * (128 + 100) <= found.sections["quantisation"] <= 12 * (128 + 100) + 16


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_graph_gives_the_same_bytes(kind, wide):
    assert WRITERS[kind](wide, nearest(wide)) == WRITERS[kind](wide, nearest(wide))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kept_weight_beyond_float16_is_refused(kind, wide):
    node = wide["dw"]
    large = wide.replace({"dw": replace(node, weight=node.kernel * np.float32(1e6))})
    with pytest.raises(BuildError, match="layer 'dw' has weights that float16 cannot hold"):
        WRITERS[kind](large, nearest(large))


@pytest.mark.parametrize("kind", KINDS)
def test_a_rounded_weight_may_be_beyond_float16(kind, wide):
    node = wide["head"]
    large = wide.replace({"head": replace(node, weight=node.kernel * np.float32(1e6))})
    assert WRITERS[kind](large, nearest(large))


@pytest.mark.usefixtures("all_rounded")
def test_xnnpack_takes_every_node(small):
    from ai_edge_litert.interpreter import Interpreter

    model = Interpreter(model_content=dynamic_tflite(small, nearest(small)), num_threads=1)
    model.allocate_tensors()
    (delegate,) = (each for each in model._get_ops_details() if each["op_name"] == "DELEGATE")
    names = {each["index"]: each["name"] for each in model.get_tensor_details()}
    assert [names[index] for index in delegate["outputs"]] == ["predictions"]


@pytest.mark.usefixtures("all_rounded")
def test_onnxruntime_computes_the_weights_on_loading(small, tmp_path):
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(dynamic_onnx(small, nearest(small)), options, providers=["CPUExecutionProvider"])
    kinds = {node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node}
    # A DequantizeLinear would be left, and the convolution after it would have no packed weights.
    assert not kinds & {"Cast", "Mul", "DequantizeLinear", "ConvInteger", "MatMulInteger"}


def test_nothing_multiplies_integers(wide):
    # So 16-bit sums cannot overflow, and `mnet inspect` says nothing of them.
    assert products(artifact.READERS["onnx"].contents(dynamic_onnx(wide, nearest(wide)))) == ()


@pytest.mark.usefixtures("all_rounded")
def test_it_is_valid_onnx(graph):
    onnx.checker.check_model(onnx.load_from_string(dynamic_onnx(graph, nearest(graph))), full_check=True)
