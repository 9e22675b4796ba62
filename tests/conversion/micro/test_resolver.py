"""Which operators TensorFlow Lite for Microcontrollers has, and how a resolver names them."""

from __future__ import annotations

import pytest

from mobilenet_edge.conversion.micro import resolver
from mobilenet_edge.errors import BuildError
from mobilenet_edge.formats.contents import Contents, Operator
from mobilenet_edge.formats.tflite.int8 import _VERSIONS
from mobilenet_edge.formats.tflite.opcodes import BUILTIN


def contents(*kinds: str) -> Contents:
    return Contents({}, tuple(Operator(kind, (), ()) for kind in kinds), (), (), {})


def test_every_operator_is_one_of_tflite():
    assert set(BUILTIN.values()) >= resolver.OPERATORS


def test_every_operator_of_our_int8_files_is_there():
    assert set(_VERSIONS) | {"QUANTIZE", "MUL"} <= resolver.OPERATORS


@pytest.mark.parametrize(
    ("kind", "method"),
    # As micro_mutable_op_resolver.h spells them.
    [
        ("CONV_2D", "AddConv2D"),
        ("DEPTHWISE_CONV_2D", "AddDepthwiseConv2D"),
        ("MAX_POOL_2D", "AddMaxPool2D"),
        ("FULLY_CONNECTED", "AddFullyConnected"),
        ("PADV2", "AddPadV2"),
        ("SPLIT_V", "AddSplitV"),
        ("L2_POOL_2D", "AddL2Pool2D"),
        ("BATCH_TO_SPACE_ND", "AddBatchToSpaceNd"),
        ("RELU6", "AddRelu6"),
        ("CUMSUM", "AddCumSum"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "AddUnidirectionalSequenceLSTM"),
        ("SELECT_V2", "AddSelectV2"),
        ("ADD_N", "AddAddN"),
    ],
)
def test_methods_of_the_resolver(kind: str, method: str):
    assert resolver.method(kind) == method


def test_the_resolver_has_one_place_for_each_kind():
    text = resolver.write(contents("CONV_2D", "SOFTMAX", "CONV_2D", "MEAN").ops)
    assert "MicroMutableOpResolver<3>" in text
    lines = [line.strip() for line in text.splitlines() if "resolver.Add" in line]
    assert lines == [f"TF_LITE_ENSURE_STATUS(resolver.Add{name}());" for name in ("Conv2D", "Mean", "Softmax")]


def test_what_it_lacks_is_named_with_the_next_step():
    resolver.require(contents("CONV_2D", "SOFTMAX"))
    with pytest.raises(BuildError, match=r"has no GELU and no TOPK_V2; change that layer, or export with --target gen"):
        resolver.require(contents("GELU", "CONV_2D", "TOPK_V2", "GELU"))
