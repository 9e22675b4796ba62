"""What a .onnx file holds; the onnx package is the oracle."""

import base64
import zlib

import onnx
import pytest
from onnx import numpy_helper

from mobilenet_edge.formats.metadata import KEY, LABELS_KEY
from mobilenet_edge.formats.onnx import read as reader


@pytest.mark.parametrize("name", ["float.onnx", "int8.onnx"])
def test_it_sees_what_the_onnx_package_sees(name, plain):
    model = onnx.load_from_string(plain[name])
    found = reader.contents(plain[name])
    assert [(each.kind, each.inputs, each.outputs) for each in found.operators] == [
        (node.op_type, tuple(node.input), tuple(node.output)) for node in model.graph.node
    ]
    assert found.inputs == tuple(each.name for each in model.graph.input)
    assert found.outputs == tuple(each.name for each in model.graph.output)
    for constant in model.graph.initializer:
        value, tensor = numpy_helper.to_array(constant), found.tensors[constant.name]
        assert (tensor.shape, tensor.dtype, tensor.constant_bytes) == (value.shape, str(value.dtype), value.nbytes)


def test_grids_are_found_on_the_integer_side(plain):
    found = reader.contents(plain["int8.onnx"])
    image = found.tensors["image/quantised"]
    assert image.scales == pytest.approx((2 / 255,))
    assert len(image.zero_points) == 1
    assert len(found.tensors["conv1/w"].scales) == 4
    assert found.tensors["conv1/w"].zero_points == (0,) * 4


def test_sections_add_up_and_are_right(plain, about):
    data = reader.embed(plain["int8.onnx"], about)
    sections = reader.contents(data).sections
    assert sum(sections.values()) == len(data)
    assert sections["weights"] == 108 + 36 + 12
    assert sections["biases"] == 4 * (4 + 4 + 3)
    assert 0 <= len(data) - len(plain["int8.onnx"]) - sections["metadata"] < 12


def test_metadata_is_ordinary_metadata_props(plain, about):
    model = onnx.load_from_string(reader.embed(plain["float.onnx"], about))
    onnx.checker.check_model(model)
    entries = {each.key: each.value for each in model.metadata_props}
    assert entries.keys() == {KEY, LABELS_KEY}
    assert zlib.decompress(base64.b64decode(entries[LABELS_KEY])).decode().splitlines() == list(about.labels)


def test_a_thousand_labels_take_little(plain, about):
    from dataclasses import replace

    many = replace(about, labels=tuple(f"class number {index}" for index in range(1000)))
    whole = reader.embed(plain["float.onnx"], many)
    assert reader.metadata(whole) is not None
    # As JSON they would take 20 bytes each.
    assert len(whole) - len(reader.embed(plain["float.onnx"], about)) < 8000


def test_metadata_of_others_is_passed_over(plain):
    model = onnx.load_from_string(plain["float.onnx"])
    onnx.helper.set_model_props(model, {"author": "somebody"})
    assert reader.metadata(model.SerializeToString()) is None


def packed(plain, about, text):
    model = onnx.load_from_string(reader.embed(plain["float.onnx"], about))
    (entry,) = (each for each in model.metadata_props if each.key == LABELS_KEY)
    entry.value = text
    return model.SerializeToString()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "cut off"),
        ("no base64!", "base64"),
        ("größe", "ASCII"),
        (base64.b64encode(b"no zlib").decode(), "labels are damaged"),
        (base64.b64encode(zlib.compress(b"a\n" * 99)[:-5]).decode(), "cut off"),
        (base64.b64encode(zlib.compress(b"\xff\xfe")).decode(), "utf-8"),
        (base64.b64encode(zlib.compress(bytes(17 << 20), 9)).decode(), "cut off"),
    ],
    ids=["empty", "text", "not ascii", "not zlib", "cut", "not utf-8", "bomb"],
)
def test_damaged_labels_are_a_value_error(plain, about, text, reason):
    with pytest.raises(ValueError, match=reason):
        reader.metadata(packed(plain, about, text))


def test_a_model_without_operator_set_or_graph_is_refused(plain):
    model = onnx.load_from_string(plain["float.onnx"])
    del model.opset_import[:]
    with pytest.raises(ValueError, match="operator set"):
        reader.contents(model.SerializeToString())
    with pytest.raises(ValueError, match="no ONNX graph"):
        reader.contents(onnx.ModelProto(ir_version=8).SerializeToString())


def test_an_open_batch_is_minus_one(plain):
    model = onnx.load_from_string(plain["float.onnx"])
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    assert reader.contents(model.SerializeToString()).tensors["image"].shape == (-1, 3, 8, 8)


def test_constants_in_typed_fields_are_read_as_those_in_raw_bytes(plain):
    model = onnx.load_from_string(plain["int8.onnx"])
    for constant in model.graph.initializer:
        value = numpy_helper.to_array(constant)
        if constant.name.startswith("image/") or constant.name.startswith("zero"):
            made = onnx.helper.make_tensor(constant.name, constant.data_type, value.shape, value.flatten().tolist())
            constant.CopyFrom(made)
    found, raw = reader.contents(model.SerializeToString()), reader.contents(plain["int8.onnx"])
    for name in ("image/quantised", "conv1/quantised", "conv1/w"):
        assert found.tensors[name].scales == raw.tensors[name].scales
        assert found.tensors[name].zero_points == raw.tensors[name].zero_points
