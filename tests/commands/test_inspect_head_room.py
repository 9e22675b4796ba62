"""`mnet inspect` on int8 ONNX files: ours, and those that onnxruntime's own quantiser makes."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mobilenet_edge import cli
from mobilenet_edge.commands import inspect
from mobilenet_edge.formats.onnx.write import float_onnx, int8_onnx
from mobilenet_edge.formats.tflite.write import int8_tflite
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise import SOFTMAX_GRID, QuantisedGraph, QuantParams, Weights
from mobilenet_edge.quantise.rounding import MAX_PAIR

# A pair of one sign in the convolution, in the last of its two outputs.
FIRST, SECOND = 100, 29


def network(second=SECOND) -> QuantisedGraph:
    """A pointwise, a depthwise and a dense layer; the depthwise one has the largest weights."""
    pointwise = np.array([[10, FIRST], [-20, second], [30, -127]], np.int8).reshape(1, 1, 3, 2)
    integers = {"conv": pointwise, "dw": np.full((3, 3, 2), 127, np.int8), "head": np.full((2, 4), 50, np.int8)}
    shapes = {"conv": (4, 4, 2), "dw": (2, 2, 2), "head": (4,)}
    nodes = [
        Node(name, op, (source,), shapes[name], integers[name].astype(np.float32) / 127,
             np.zeros(integers[name].shape[-1], np.float32))
        for name, op, source in (("conv", "conv", "image"), ("dw", "depthwise", "conv"), ("head", "dense", "pool"))
    ]  # fmt: skip
    nodes[2:2] = [Node("pool", "mean", ("dw",), (2,))]
    graph = Graph("tiny", "image", (4, 4, 3), (*nodes, Node("out", "softmax", ("head",), (4,))))
    grids = {name: QuantParams(1 / 128, 0) for name in ("image", "conv", "dw", "pool", "head")}
    made = {
        name: Weights(each, np.full(each.shape[-1], 1 / 127, np.float32), np.zeros(each.shape[-1], np.int32))
        for name, each in integers.items()
    }
    return QuantisedGraph(graph, {**grids, "out": SOFTMAX_GRID}, made)


def inspected(folder, data, name="m.onnx"):
    (folder / name).write_bytes(data)
    (record,) = inspect.run([folder / name])
    return record


def test_our_layers_are_counted_and_depthwise_ones_are_not(tmp_path):
    rooms = inspected(tmp_path, int8_onnx(network())).head_room
    assert rooms == (
        {"layer": "conv/w", "pairs": 4, "largest": FIRST + SECOND, "over": 1},
        {"layer": "head/w", "pairs": 4, "largest": 100, "over": 0},
    )


def test_at_the_limit_nothing_is_over(tmp_path):
    rooms = inspected(tmp_path, int8_onnx(network(MAX_PAIR - FIRST))).head_room
    assert [(each["largest"], each["over"]) for each in rooms] == [(MAX_PAIR, 0), (100, 0)]


def test_int8_activations_have_nothing_to_overflow(tmp_path):
    assert inspected(tmp_path, int8_onnx(network(), activations="int8")).head_room == ()


def test_other_files_say_nothing(tmp_path):
    assert inspected(tmp_path, float_onnx(network().graph)).head_room is None
    assert inspected(tmp_path, int8_tflite(network()), "m.tflite").head_room is None


def test_weights_outside_the_file_are_not_judged(tmp_path):
    model = onnx.load_from_string(int8_onnx(network()))
    (held,) = (each for each in model.graph.initializer if each.name == "conv/w")
    held.ClearField("raw_data")
    held.data_location = TensorProto.EXTERNAL
    first, second = inspected(tmp_path, model.SerializeToString()).head_room
    assert first == {"layer": "conv/w", "pairs": None, "largest": None, "over": None}
    assert second["pairs"] == 4


def test_the_command_says_it_and_writes_it(tmp_path, capsys):
    (tmp_path / "m.onnx").write_bytes(int8_onnx(network()))
    for arguments, wanted in (([], "overflow possible in 1 of 2 layers"), (["--json", "-"], '"over": 1')):
        with pytest.raises(SystemExit) as caught:
            cli.main(["inspect", str(tmp_path / "m.onnx"), *arguments])
        assert caught.value.code == 0
        said = capsys.readouterr().out
        assert wanted in said
    assert json.loads(said)[0]["head_room"][0]["largest"] == FIRST + SECOND


def by_others(folder, form, weights, activations="QUInt8"):
    """onnxruntime's own quantiser on a convolution whose rounded weights are mostly near the ends of their range."""
    from onnxruntime import quantization as ort

    random = np.random.default_rng(3)
    kernel = (random.choice([-1, 1], (8, 4, 3, 3)) * random.uniform(0.8, 1, (8, 4, 3, 3))).astype(np.float32)
    table = random.uniform(0.5, 1, (8, 6)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["c"], pads=[1] * 4),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "t"], ["y"]),
    ]
    shapes = {"x": [1, 4, 8, 8], "y": None}
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    constants = [numpy_helper.from_array(value, name) for name, value in (("k", kernel), ("t", table))]
    graph = helper.make_graph(nodes, "others", ends[:1], ends[1:], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / "f.onnx")

    class Reader(ort.CalibrationDataReader):
        rows = iter([{"x": random.normal(size=(1, 4, 8, 8)).astype(np.float32)} for _ in range(3)])

        def get_next(self):
            return next(self.rows, None)

    types = {"weight_type": ort.QuantType[weights], "activation_type": ort.QuantType[activations]}
    ort.quantize_static(
        folder / "f.onnx", folder / "q.onnx", Reader(), quant_format=ort.QuantFormat[form], per_channel=True, **types
    )
    return (folder / "q.onnx").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["QDQ", "QOperator"])
def test_files_of_others_that_overflow_are_told_so(form, tmp_path):
    rooms = inspected(tmp_path, by_others(tmp_path, form, "QInt8")).head_room
    assert [each["pairs"] for each in rooms] == [4 * 9 // 2 * 8, 8 // 2 * 6]
    # Half of the convolution's pairs, give or take, are of one sign, and near 2 * 127.
    assert 50 < rooms[0]["over"] < 94
    assert rooms[0]["largest"] > 200
    assert rooms[1]["over"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(("weights", "activations"), [("QUInt8", "QUInt8"), ("QInt8", "QInt8")])
def test_files_of_others_that_cannot_are_told_so_too(weights, activations, tmp_path):
    assert inspected(tmp_path, by_others(tmp_path, "QDQ", weights, activations)).head_room == ()
