"""A model put together by hand is one that the schema's own classes read."""

import sys

import numpy as np
import pytest

from mobilenet_edge.errors import MissingExtraError
from mobilenet_edge.formats.tflite.builder import ALIGNMENT, ModelBuilder, schema


def built():
    file = ModelBuilder()
    source = file.tensor("x", (1, 4), "int8", None, [0.5], 3)
    weight = file.tensor("w", (2, 4), "int8", np.arange(8, dtype=np.int8).reshape(2, 4), np.float32([1, 2]), 0, 0)
    bias = file.tensor("b", (2,), "int32", np.array([-1, 70_000], np.int32), np.float32([1, 2]))
    output = file.tensor("y", (1, 2), "int8", None, [0.5], 3)
    file.operator("FULLY_CONNECTED", [source, weight, bias], output, version=4, options="FullyConnectedOptions",
                  FusedActivationFunction=1)  # fmt: skip
    return file.finish([source], [output], "by hand")


def model(data):
    return schema().Model.GetRootAs(data)


def test_the_schema_reads_what_was_put_in():
    made = model(built())
    graph = made.Subgraphs(0)
    assert made.Version() == 3
    assert made.Description() == b"by hand"
    assert [graph.Tensors(index).Name() for index in range(graph.TensorsLength())] == [b"x", b"w", b"b", b"y"]
    assert graph.Tensors(1).ShapeAsNumpy().tolist() == [2, 4]
    assert (graph.InputsAsNumpy().tolist(), graph.OutputsAsNumpy().tolist()) == ([0], [3])
    operator = graph.Operators(0)
    assert operator.InputsAsNumpy().tolist() == [0, 1, 2]
    code = made.OperatorCodes(operator.OpcodeIndex())
    assert (code.BuiltinCode(), code.DeprecatedBuiltinCode(), code.Version()) == (9, 9, 4)


def test_constants_keep_their_bytes_and_are_aligned():
    data = built()
    made = model(data)
    weight, bias = (made.Buffers(made.Subgraphs(0).Tensors(index).Buffer()) for index in (1, 2))
    assert weight.DataAsNumpy().tolist() == list(range(8))
    assert bias.DataAsNumpy().view(np.int32).tolist() == [-1, 70_000]
    whole = np.frombuffer(data, np.uint8)
    for each in (weight, bias):
        place = each.DataAsNumpy().ctypes.data - whole.ctypes.data
        assert 0 < place < len(data)
        assert place % ALIGNMENT == 0


def test_buffer_zero_is_empty_and_activations_use_it():
    made = model(built())
    assert made.Buffers(0).DataLength() == 0
    assert [made.Subgraphs(0).Tensors(index).Buffer() for index in (0, 3)] == [0, 0]


def test_grids_are_read_back_and_equal_vectors_are_one():
    data = built()
    graph = model(data).Subgraphs(0)
    grids = [graph.Tensors(index).Quantization() for index in range(4)]
    assert grids[0].ScaleAsNumpy().tolist() == [0.5]
    assert grids[0].ZeroPointAsNumpy().tolist() == [3]
    assert grids[1].ZeroPointAsNumpy().tolist() == [0, 0]
    assert grids[1].ScaleAsNumpy().ctypes.data == grids[2].ScaleAsNumpy().ctypes.data
    assert grids[1].ZeroPointAsNumpy().ctypes.data == grids[2].ZeroPointAsNumpy().ctypes.data


def test_equal_operators_share_a_code():
    file = ModelBuilder()
    first, second, third = (file.tensor(name, (1, 2), "float32") for name in "abc")
    for source, target in ((first, second), (second, third)):
        file.operator("RESHAPE", [source], target)
    made = model(file.finish([first], [third], ""))
    assert made.OperatorCodesLength() == 1
    assert made.Subgraphs(0).OperatorsLength() == 2


def test_a_code_beyond_one_byte_is_told_in_the_wide_field():
    file = ModelBuilder()
    first, second = (file.tensor(name, (1, 2), "float32") for name in "ab")
    file.operator("GELU", [first], second)
    code = model(file.finish([first], [second], "")).OperatorCodes(0)
    assert (code.DeprecatedBuiltinCode(), code.BuiltinCode()) == (127, schema().BuiltinOperator.GELU)


def test_the_same_calls_give_the_same_bytes():
    assert built() == built()


def test_no_litert_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mobilenet-edge\[export\]'"):
        schema()
