"""What onnxruntime computes from our files is what the graph, or its integers, say; and it does so in integers."""

from collections import Counter
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from mobilenet_edge.formats.onnx.write import float_onnx, int8_onnx
from mobilenet_edge.graph.run import run

# What onnxruntime makes of QDQ groups, and what only moves data.
INTEGER = {
    "QLinearConv", "QLinearGlobalAveragePool", "QGemm", "QLinearAdd", "QLinearMul", "QLinearConcat",
    "QLinearAveragePool", "MaxPool", "NhwcMaxPool", "QLinearSigmoid", "QLinearSoftmax", "Flatten", "Transpose",
}  # fmt: skip
ENDS = {"QuantizeLinear", "DequantizeLinear"}


def session(data, optimised=None, arm=False):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if arm:
        # What onnxruntime sets by itself where int8 activations are the fast ones.
        options.add_session_config_entry("session.qdqisint8allowed", "1")
    if optimised:
        options.optimized_model_filepath = str(optimised)
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def invoke(data, images):
    """Outputs in the graph's own layout, channels last."""
    made = session(data)
    (source,) = made.get_inputs()
    found = np.concatenate([made.run(None, {source.name: each[None].transpose(0, 3, 1, 2)})[0] for each in images])
    return found.transpose(0, 2, 3, 1) if found.ndim == 4 else found


def paired(made):
    """The same with integers that no CPU adds up wrongly: neighbours of one sign stay within docs/quantisation.md."""
    weights = dict(made.weights)
    for node in made.graph.weighted():
        if node.op != "depthwise":
            integers = weights[node.name].integers.copy()
            rows = integers.reshape(-1, integers.shape[-1]).astype(int)
            first, second = rows[:-1:2], rows[1::2]
            second[:] = np.clip(second, -128 - np.minimum(first, 0), 128 - np.maximum(first, 0))
            integers[:] = rows.reshape(integers.shape)
            weights[node.name] = replace(weights[node.name], integers=integers)
    return replace(made, weights=weights)


def constants(data):
    return {each.name: numpy_helper.to_array(each) for each in onnx.load_from_string(data).graph.initializer}


@pytest.fixture(scope="module")
def simulated(made, batch, simulate):
    """What the integers of `paired` say of the batch."""
    made, results = paired(made), []
    for image in made.grids[made.graph.input].quantise(batch):
        done = {made.graph.input: image}
        for node in made.graph.nodes:
            done[node.name] = simulate(made, done, node)
        results.append(done[made.graph.output.name])
    return np.stack(results)


def fused(data, folder, arm=False):
    session(data, folder / "optimised.onnx", arm)
    return Counter(node.op_type for node in onnx.load(folder / "optimised.onnx").graph.node)


def test_float_files_compute_what_the_graph_does(graph, batch):
    # Sums of at most a few hundred products of size one, in another order.
    np.testing.assert_allclose(invoke(float_onnx(graph), batch), run(graph, batch), rtol=1e-5, atol=1e-5)


def test_the_batch_is_one_and_channels_come_first(small):
    made = session(float_onnx(small))
    assert made.get_inputs()[0].shape == [1, 3, 32, 32]
    assert made.get_outputs()[0].shape == [1, 10]


def test_weights_and_biases_in_the_file_are_the_given_integers(made):
    held = constants(int8_onnx(made))
    for node in made.graph.weighted():
        own = made.weights[node.name]
        order = {"conv": (3, 2, 0, 1), "depthwise": (2, 0, 1), "dense": (1, 0)}[node.op]
        stored = held[f"{node.name}/w"]
        assert stored.dtype == np.int8
        integers = own.integers.transpose(order)
        np.testing.assert_array_equal(stored.reshape(integers.shape), integers)
        np.testing.assert_array_equal(held[f"{node.name}/w/scale"], own.scales)
        step = own.scales * np.float32(made.grids[node.inputs[0]].scale)
        # A float bias that onnxruntime rounds back to the very integers.
        np.testing.assert_array_equal(np.rint(held[f"{node.name}/b"] / step).astype(np.int32), own.bias)


@pytest.mark.parametrize("activations", ["uint8", "int8"])
def test_outputs_are_within_a_step_or_two_of_integer_arithmetic(made, batch, simulated, activations):
    made = paired(made)
    grid = made.grids[made.graph.output.name]
    found = invoke(int8_onnx(made, activations=activations), batch)
    steps = found / np.float32(grid.scale) + grid.zero_point
    # A tie that falls the other way in an early layer moves what follows by a fraction; the softmax is left in float.
    difference = np.abs(steps - simulated)
    assert difference.max() <= 2.5
    assert difference.mean() <= 0.5


@pytest.mark.parametrize(("io", "activations"), [("int8", "uint8"), ("uint8", "uint8")])
def test_integer_ends_lie_on_the_grids(made, batch, simulated, io, activations):
    made = paired(made)
    data = int8_onnx(made, io, activations)
    shift = 128 if io == "uint8" else 0
    inner = made.grids[made.graph.input].quantise(batch).astype(int)
    found = invoke(data, (inner + shift).astype(io))
    assert found.dtype == np.dtype(io)
    difference = np.abs(found.astype(int) - shift - simulated)
    assert difference.max() <= 2
    assert difference.mean() <= 0.3


@pytest.mark.parametrize("activations", ["uint8", "int8"])
def test_onnxruntime_computes_in_integers(made, tmp_path, activations):
    kinds = fused(int8_onnx(made, activations=activations), tmp_path, activations == "int8")
    closing = {"softmax": {"Softmax"}, "sigmoid": {"Sigmoid"}}.get(made.graph.output.op, set())
    assert set(kinds) <= INTEGER | ENDS | closing
    # One way in and one way out: nothing between goes back to float.
    assert (kinds["QuantizeLinear"], kinds["DequantizeLinear"]) == (1, 1)
    weighted = Counter(node.op for node in made.graph.nodes)
    # A dense layer of a gate is a convolution of one pixel.
    assert kinds["QLinearConv"] + kinds["QGemm"] == weighted["conv"] + weighted["depthwise"] + weighted["dense"]
    assert kinds["QLinearMul"] == weighted["multiply"]
    assert kinds["QLinearAdd"] == weighted["add"]
    assert kinds["QLinearGlobalAveragePool"] == weighted["mean"]


@pytest.mark.parametrize(("io", "activations"), [("int8", "int8"), ("int8", "uint8")])
def test_integer_ends_leave_nothing_in_float(made, tmp_path, io, activations):
    kinds = fused(int8_onnx(made, io, activations), tmp_path, activations == "int8")
    assert set(kinds) <= INTEGER | ENDS
    # Where the ends are of another type than the rest, a pair at each converts.
    ends = 0 if io == activations else 2
    assert (kinds["QuantizeLinear"], kinds["DequantizeLinear"]) == (ends, ends)


def test_every_operator_stands_between_its_own_pair(made):
    graph = onnx.load_from_string(int8_onnx(made)).graph
    makers = {name: node for node in graph.node for name in node.output}
    stored = {each.name for each in graph.initializer}
    for node in graph.node:
        if node.op_type in {"QuantizeLinear", "DequantizeLinear", "Softmax"}:
            continue
        for name in node.input:
            assert name in stored or makers[name].op_type == "DequantizeLinear", (node.op_type, name)


def test_it_is_valid_onnx_of_the_named_version(made):
    files = ((float_onnx(made.graph), 11, 6), (int8_onnx(made), 13, 7), (int8_onnx(made, "int8", "int8"), 13, 7))
    for data, opset, ir_version in files:
        model = onnx.load_from_string(data)
        onnx.checker.check_model(model, full_check=True)
        assert [each.version for each in model.opset_import] == [opset]
        assert model.ir_version == ir_version


@pytest.mark.parametrize("graph", ["classifier", "joined"], indirect=True)
def test_the_same_graph_gives_the_same_bytes(made):
    assert float_onnx(made.graph) == float_onnx(made.graph)
    assert int8_onnx(made) == int8_onnx(made)


def test_no_constant_is_stored_that_nothing_reads(made):
    for data in (float_onnx(made.graph), int8_onnx(made)):
        graph = onnx.load_from_string(data).graph
        assert {each.name for each in graph.initializer} <= {name for node in graph.node for name in node.input}
