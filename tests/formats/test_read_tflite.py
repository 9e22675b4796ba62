"""What a .tflite file holds, read from our own files and from Google's."""

import struct

import pytest

from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.tflite import read as tflite
from mobilenet_edge.formats.tflite.opcodes import BUILTIN, CUSTOM


def test_operators_are_told_in_order(plain):
    found = tflite.contents(plain["int8.tflite"])
    kinds = [each.kind for each in found.operators]
    assert kinds == [
        "CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MEAN", "RESHAPE", "CONV_2D", "RESHAPE", "SOFTMAX",
    ]  # fmt: skip
    assert found.ops["CONV_2D"] == 2
    assert found.operators[0].inputs == ("image", "conv1/w", "conv1/b")
    assert found.operators[2].inputs == ("conv1", "dw")
    assert (found.inputs, found.outputs) == (("image",), ("predictions",))


def test_tensors_have_shape_type_and_grid(plain):
    tensors = tflite.contents(plain["int8.tflite"]).tensors
    assert (tensors["image"].shape, tensors["image"].dtype) == ((1, 8, 8, 3), "int8")
    assert len(tensors["conv1/w"].scales) == len(tensors["conv1/w"].zero_points) == 4
    assert tensors["conv1/b"].dtype == "int32"
    assert tensors["conv1/b"].constant_bytes == 16
    assert tensors["predictions"].scales == (1 / 256,)
    assert tensors["predictions"].zero_points == (-128,)
    assert tensors["image"].constant_bytes == 0
    assert tensors["image"].elements == 192


def test_sections_add_up_and_are_right(plain, about):
    data = tflite.embed(plain["int8.tflite"], about)
    sections = tflite.contents(data).sections
    assert sum(sections.values()) == len(data)
    # conv 3*3*3*4, depthwise 3*3*4, head 4*3: one byte each.
    assert sections["weights"] == 108 + 36 + 12
    # Beside the zip and TFLite Metadata, a new root table and the list of buffers.
    assert 0 <= len(data) - len(plain["int8.tflite"]) - sections["metadata"] < 300
    floats = tflite.contents(plain["float.tflite"]).sections
    assert floats["weights"] == 4 * (108 + 36 + 12)
    assert floats["quantisation"] == floats["metadata"] == 0


def test_labels_lie_where_tflite_tools_look(plain, about, tmp_path):
    import zipfile

    artifact.write(tmp_path / "a.tflite", plain["int8.tflite"], about)
    with zipfile.ZipFile(tmp_path / "a.tflite") as file:
        assert file.read("labels.txt").decode().splitlines() == list(about.labels)


def test_the_flatbuffer_inside_is_untouched(plain, about):
    whole = tflite.embed(plain["int8.tflite"], about)
    place = whole.index(plain["int8.tflite"])
    # So that constants stay where vector instructions read them.
    assert place % 16 == 0
    before, after = tflite.contents(plain["int8.tflite"]), tflite.contents(whole)
    assert (before.tensors, before.operators) == (after.tensors, after.operators)


@pytest.mark.parametrize("identifier", [b"TFL2", b"ABCD"])
def test_another_flatbuffer_is_refused(plain, identifier):
    data = plain["float.tflite"]
    with pytest.raises(ValueError, match="does not begin"):
        tflite.contents(data[:4] + identifier + data[8:])


def test_a_tensor_before_the_first_is_refused(plain):
    # The graph's output index, -1: Python would take the last.
    data = bytearray(plain["float.tflite"])
    outputs = struct.pack("<Ii", 1, len(tflite.contents(bytes(data)).tensors) - 1)
    assert outputs in data
    place = data.index(outputs)
    data[place + 4 : place + 8] = struct.pack("<i", -2)
    with pytest.raises(ValueError, match="before the first"):
        tflite.contents(bytes(data))


def test_operator_names_stand_at_the_codes_of_the_schema():
    pytest.importorskip("ai_edge_litert")
    from ai_edge_litert.schema_py_generated import BuiltinOperator

    known = {code: name for name, code in vars(BuiltinOperator).items() if isinstance(code, int)}
    assert known[CUSTOM] == "CUSTOM"
    # A newer schema may know more.
    assert {code: known[code] for code in BUILTIN} == BUILTIN


@pytest.mark.data
def test_googles_own_model_is_read(data):
    found = artifact.read(data / "reference" / "mobilenet_v1_0.25_128_quant.tflite")
    assert found.metadata is None
    assert found.precision == "uint8"
    assert found.contents.ops == {
        "CONV_2D": 15, "DEPTHWISE_CONV_2D": 13, "AVERAGE_POOL_2D": 1, "RESHAPE": 1, "SOFTMAX": 1,
    }  # fmt: skip
    (name,) = found.contents.inputs
    assert found.contents.tensors[name].shape == (1, 128, 128, 3)
    assert sum(found.contents.sections.values()) == found.size_bytes


@pytest.mark.data
def test_a_compiled_model_shows_its_custom_operator(data):
    found = artifact.read(data / "reference" / "mobilenet_v1_0.25_128_quant_edgetpu.tflite")
    assert found.contents.ops == {"edgetpu-custom-op": 1}
