"""Files of float16 weights: half the size, the same answers, float32 speed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest

from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import BuildError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.metadata import Metadata, Weights
from mobilenet_edge.formats.onnx.write import float16_onnx, float_onnx
from mobilenet_edge.formats.tflite.write import float16_tflite, float_tflite
from mobilenet_edge.graph import Graph
from mobilenet_edge.graph.run import run

WRITERS = {"tflite": float16_tflite, "onnx": float16_onnx}
FLOAT = {"tflite": float_tflite, "onnx": float_onnx}
KINDS = tuple(WRITERS)


def halved(graph: Graph) -> Graph:
    """The graph whose weights float16 holds exactly."""
    return graph.replace(
        {
            node.name: replace(node, weight=node.kernel.astype(np.float16).astype(np.float32))
            for node in graph.weighted()
        }
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_computes_what_the_rounded_weights_say(kind, graph, batch, tmp_path, outputs):
    path = tmp_path / f"model.{kind}"
    path.write_bytes(WRITERS[kind](graph))
    # Computed in float32: as with float32 files, only sums in another order differ. XNNPACK and onnxruntime would
    # differ by 1e-3 if they multiplied in float16.
    np.testing.assert_allclose(outputs(path, batch), run(halved(graph), batch), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_stored_in_float16_and_biases_are_not(kind, small):
    found = artifact.READERS[kind].contents(WRITERS[kind](small))
    for node in small.weighted():
        weight, bias = (found.tensors[f"{node.name}/{part}"] for part in "wb")
        assert (weight.dtype, weight.constant_bytes) == ("float16", 2 * node.kernel.size)
        assert (bias.dtype, bias.constant_bytes) == ("float32", 4 * node.offset.size)
    ends = [found.tensors[name].dtype for name in (*found.inputs, *found.outputs)]
    assert ends == ["float32", "float32"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_smaller_by_two_bytes_a_weight(kind, wide):
    before, after = (len(writers[kind](wide)) for writers in (FLOAT, WRITERS))
    weights = sum(node.kernel.size for node in wide.weighted())
    layers = len(list(wide.weighted()))
    # A constant's widening costs an operator and a tensor: 150 bytes and their names.
    assert 2 * weights - 250 * layers < before - after <= 2 * weights


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_graph_gives_the_same_bytes(kind, small):
    assert WRITERS[kind](small) == WRITERS[kind](small)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [70_000.0, np.inf, np.nan])
def test_what_float16_cannot_hold_is_refused(kind, value, small):
    node = small["pw2"]
    broken = node.kernel.copy()
    broken[0, 0, 1, 2] = value
    with pytest.raises(BuildError, match=r"layer 'pw2' has weights that float16 cannot hold .*--precision float32"):
        WRITERS[kind](small.replace({"pw2": replace(node, weight=broken)}))


def test_the_largest_float16_is_held(small):
    node = small["pw2"]
    large = np.where(np.arange(node.kernel.size).reshape(node.kernel.shape) == 5, np.float32(65504), node.kernel)
    data = float16_tflite(small.replace({"pw2": replace(node, weight=large)}))
    stored = np.frombuffer(artifact.READERS["tflite"].contents(data).tensors["pw2/w"].constant, np.float16)
    assert stored.max() == 65504


def test_xnnpack_takes_every_node(small):
    from ai_edge_litert.interpreter import Interpreter

    model = Interpreter(model_content=float16_tflite(small), num_threads=1)
    model.allocate_tensors()
    (delegate,) = (each for each in model._get_ops_details() if each["op_name"] == "DELEGATE")
    names = {each["index"]: each["name"] for each in model.get_tensor_details()}
    assert [names[index] for index in delegate["outputs"]] == ["predictions"]
    assert "image" in [names[index] for index in delegate["inputs"]]


def test_onnxruntime_widens_the_weights_on_loading(small, tmp_path):
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(float16_onnx(small), options, providers=["CPUExecutionProvider"])
    kinds = {node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node}
    assert "Cast" not in kinds
    assert "Conv" in kinds or "FusedConv" in kinds


def test_it_is_valid_onnx(graph):
    onnx.checker.check_model(onnx.load_from_string(float16_onnx(graph)), full_check=True)


@pytest.mark.parametrize("kind", KINDS)
def test_metadata_is_read_back(kind, small, tmp_path):
    about = Metadata("tiny", "float16", 10, small.macs, small.parameters, Preprocess((32, 32)), Weights("random"))
    artifact.write(tmp_path / f"a.{kind}", WRITERS[kind](small), about)
    made = artifact.read(tmp_path / f"a.{kind}")
    assert (made.precision, made.identity()["calibration"]) == ("float16", None)
    assert sum(made.contents.sections.values()) == made.size_bytes


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_without_metadata_is_known_by_its_weights(kind, wide, tmp_path):
    (tmp_path / f"a.{kind}").write_bytes(WRITERS[kind](wide))
    assert artifact.read(tmp_path / f"a.{kind}").precision == "float16"
