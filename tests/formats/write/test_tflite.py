"""What LiteRT computes from our files is what the graph, or its integers, say."""

import subprocess
import sys

import numpy as np
import pytest

from mobilenet_edge.formats.tflite import read as reader
from mobilenet_edge.formats.tflite.write import float_tflite, int8_tflite
from mobilenet_edge.graph.run import run


def interpreter(data, delegates=True):
    """An allocated interpreter; without delegates every tensor can be looked at afterwards."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    kind = OpResolverType.AUTO if delegates else plain
    made = Interpreter(
        model_content=data,
        num_threads=1,
        experimental_op_resolver_type=kind,
        experimental_preserve_all_tensors=not delegates,
    )
    made.allocate_tensors()
    return made


def invoke(made, image):
    made.set_tensor(made.get_input_details()[0]["index"], image[None])
    made.invoke()
    return made.get_tensor(made.get_output_details()[0]["index"])[0]


def outputs(data, images, delegates=True):
    made = interpreter(data, delegates)
    return np.stack([invoke(made, image) for image in images])


def tensors(made):
    return {each["name"]: each for each in made.get_tensor_details() if each["name"]}


@pytest.fixture(scope="module")
def data(made):
    """The int8 file of each graph."""
    return int8_tflite(made)


@pytest.fixture(scope="module")
def inputs(made, batch):
    return made.grids[made.graph.input].quantise(batch)


@pytest.fixture(scope="module")
def plain(data, inputs):
    """What LiteRT's own kernels give for the int8 file."""
    return outputs(data, inputs, delegates=False).astype(int)


def parameters(details):
    return details["quantization_parameters"]


def test_float_files_compute_what_the_graph_does(graph, batch):
    data, expected = float_tflite(graph), run(graph, batch)
    # Sums of at most a few hundred products of size one, in another order.
    np.testing.assert_allclose(outputs(data, batch), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(outputs(data, batch, delegates=False), expected, rtol=1e-5, atol=1e-5)


def test_the_given_integers_and_grids_stand_in_the_file(made, data):
    model = interpreter(data, delegates=False)
    held = tensors(model)
    for name, grid in made.grids.items():
        stored = parameters(held[name])
        assert (*stored["scales"], *stored["zero_points"]) == (np.float32(grid.scale), grid.zero_point)
    for node in made.graph.weighted():
        own, depthwise = made.weights[node.name], node.op == "depthwise"
        weight, bias = (held[f"{node.name}/{part}"] for part in "wb")
        order = own.integers[None] if depthwise else np.moveaxis(own.integers, -1, 0)
        stored = model.get_tensor(weight["index"])
        assert stored.dtype == np.int8
        np.testing.assert_array_equal(stored.reshape(order.shape), order)
        np.testing.assert_array_equal(parameters(weight)["scales"], own.scales)
        assert parameters(weight)["quantized_dimension"] == (3 if depthwise else 0)
        np.testing.assert_array_equal(model.get_tensor(bias["index"]), own.bias)
        # TFLite's rule for biases.
        step = own.scales.astype(float) * made.grids[node.inputs[0]].scale
        np.testing.assert_allclose(parameters(bias)["scales"], step, rtol=2e-7)


def test_a_compact_file_multiplies_by_what_the_quantiser_said(made, inputs, plain):
    data = int8_tflite(made, compact=True)
    held = tensors(interpreter(data, delegates=False))

    def scales(name):
        return parameters(held[name])["scales"].astype(float)

    for node in made.graph.weighted():
        (source,) = node.inputs
        asked = made.weights[node.name].scales.astype(float) * made.grids[source].scale / made.grids[node.name].scale
        # The file counts inner tensors in other units: each factor is rounded to float32 (6e-8) once.
        found = scales(source) * scales(f"{node.name}/w") / scales(node.name)
        np.testing.assert_allclose(found, asked, rtol=3e-7)
        np.testing.assert_allclose(scales(f"{node.name}/b"), scales(source) * scales(f"{node.name}/w"), rtol=2e-7)
    # A factor that was rounded to float32 once more moves a tie.
    assert np.abs(outputs(data, inputs, delegates=False).astype(int) - plain).max() <= 1


def test_every_layer_is_within_a_step_of_integer_arithmetic(made, data, inputs, simulate):
    model = interpreter(data, delegates=False)
    held = tensors(model)
    for image in inputs[:3]:
        invoke(model, image)
        # A vector may stand in the file as a map of one pixel.
        found = {
            name: model.get_tensor(held[name]["index"]).astype(int).reshape(made.graph.shape(name))
            for name in made.grids
        }
        for node in made.graph.nodes:
            # Each layer on what the layers before it really gave, so that nothing adds up.
            difference = np.abs(found[node.name] - simulate(made, found, node, rounded=False))
            # Rounding is half a step, whichever way ties fall. LiteRT's multipliers have 31 bits, its ADD, SOFTMAX and
            # LOGISTIC work in fixed point: a few values are a little further off. MEAN and QUANTIZE round twice.
            assert difference.max() <= 1, node.name
            if node.op not in ("mean", "concat"):
                assert (difference > 0.51).sum() <= max(1, 0.05 * difference.size), node.name


def test_xnnpack_gives_what_the_plain_kernels_give(made, data, inputs, plain):
    fast = outputs(data, inputs).astype(int)
    # XNNPACK multiplies in float32; a tie that falls the other way early moves a few steps later on, and more of them
    # where the plain kernels round twice or products of two tensors amplify it.
    amplified = any(node.op in ("multiply", "concat") for node in made.graph.nodes)
    assert np.abs(fast - plain).max() <= (6 if amplified else 3)
    assert np.abs(fast - plain).mean() <= (0.7 if amplified else 0.2)


@pytest.mark.parametrize("io", ["float32", "uint8"])
def test_other_ends_cost_a_conversion_and_change_nothing(made, batch, inputs, plain, io):
    grid = made.grids[made.graph.output.name]
    data = int8_tflite(made, io)
    if io == "uint8":
        found = outputs(data, (inputs.astype(int) + 128).astype(np.uint8), False)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found.astype(int) - 128, plain)
    else:
        found = outputs(data, batch, False)
        assert found.dtype == np.float32
        steps = np.rint(found / grid.scale + grid.zero_point)
        # The input is rounded by LiteRT, where halves may go elsewhere.
        assert np.abs(steps - plain).max() <= 2


def test_nothing_but_integers_stands_between_int8_ends(data):
    found = reader.contents(data)
    assert {each.dtype for each in found.tensors.values()} <= {"int8", "int32"}
    computed = [name for operator in found.operators for name in operator.outputs]
    assert {found.tensors[name].dtype for name in computed} == {"int8"}
    assert "DEQUANTIZE" not in found.ops
    # What is joined must lie on one grid.
    joined = {name for operator in found.operators if operator.kind == "CONCATENATION" for name in operator.inputs}
    assert {each.outputs[0] for each in found.operators if each.kind == "QUANTIZE"} <= joined


def test_padding_is_an_operator_only_where_it_must_be(graph, data):
    # Keras's zeros below and right are what 'same' gives at even sizes, and not at odd ones.
    found = reader.contents(float_tflite(graph)), reader.contents(data)
    pads = 2 if graph.input_shape[0] == 13 else 0
    assert [each.ops.get("PAD", 0) for each in found] == [pads, pads]


@pytest.mark.parametrize("graph", ["classifier", "joined"], indirect=True)
def test_the_same_graph_gives_the_same_bytes(made, data):
    assert float_tflite(made.graph) == float_tflite(made.graph)
    assert int8_tflite(made) == data


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_xnnpack_takes_every_node(small, precision, quantise):
    data = float_tflite(small) if precision == "float32" else int8_tflite(quantise(small))
    model = interpreter(data)
    (delegate,) = (each for each in model._get_ops_details() if each["op_name"] == "DELEGATE")
    names = {each["index"]: each["name"] for each in model.get_tensor_details()}
    assert "image" in [names[index] for index in delegate["inputs"]]
    # One delegate from the input to the end. XNNPACK has no softmax in integers: that one is left to LiteRT's own.
    assert [names[index] for index in delegate["outputs"]] == ["predictions" if precision == "float32" else "head"]


@pytest.mark.parametrize("graph", ["squeeze and excite", "joined", "gated", "scaled", "max pools"], indirect=True)
@pytest.mark.parametrize("compact", [False, True])
def test_xnnpack_takes_every_int8_node_before_a_softmax(compact, graph, quantise):
    data = int8_tflite(quantise(graph.cut_at_logits()), compact=compact)
    model = interpreter(data)
    delegates = [each for each in model._get_ops_details() if each["op_name"] == "DELEGATE"]
    assert len(delegates) == 1
    names = {each["index"]: each["name"] for each in model.get_tensor_details()}
    assert [names[index] for index in delegates[0]["outputs"]] == [graph.logits]


def test_scales_are_stored_once_in_a_compact_file(small, quantise):
    made = quantise(small)
    found = reader.contents(int8_tflite(made, compact=True))
    channels = {node.offset.size for node in small.weighted()}
    own = sum(4 * node.offset.size for node in small.weighted())
    first, head = small["conv1"].offset.size, small["head"].offset.size
    # A scale a channel, a zero vector for each width, and the first layer's biases, whose input is real.
    most = own + sum(8 * width for width in channels) + 4 * (first + head) + 200
    assert found.sections["quantisation"] <= most


@pytest.mark.slow
def test_a_writer_needs_no_tensorflow():
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "import numpy as np\n"
        "from mobilenet_edge.graph import Graph, Node\n"
        "from mobilenet_edge.formats.tflite.write import float_tflite\n"
        "node = Node('a', 'conv', ('x',), (2, 2, 1), np.ones((1, 1, 1, 1), np.float32), np.zeros(1, np.float32))\n"
        "assert float_tflite(Graph('g', 'x', (2, 2, 1), (node,)))[4:8] == b'TFL3'\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
