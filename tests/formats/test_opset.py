"""Which onnxruntime takes a file, by the versions it names."""

from __future__ import annotations

import onnx
import pytest

from mobilenet_edge.formats.onnx import opset
from mobilenet_edge.formats.wire.protobuf import Message


@pytest.mark.parametrize(
    ("versions", "oldest"),
    [((11, 6), "1.0"), ((13, 7), "1.6"), ((13, 8), "1.9"), ((7, 3), "0.1"), ((19, 9), "1.16"), ((21, 10), "1.18")],
)
def test_the_first_release_that_has_both_versions(versions: tuple[int, int], oldest: str) -> None:
    assert opset.oldest_runtime(*versions) == oldest


def test_a_newer_file_than_the_table_is_said_to_be_one() -> None:
    assert opset.oldest_runtime(22, 10) is None
    data = onnx.ModelProto(ir_version=12, opset_import=[onnx.helper.make_opsetid("", 24)]).SerializeToString()
    assert opset.describe(data) == "opset 24, IR version 12: onnxruntime newer than 1.18"


def test_versions_are_read_from_the_file() -> None:
    imports = [onnx.helper.make_opsetid("com.microsoft", 1), onnx.helper.make_opsetid("", 13)]
    data = onnx.ModelProto(ir_version=7, opset_import=imports).SerializeToString()
    assert opset.versions(Message.parse(data)) == (13, 7)
    assert opset.describe(data) == "opset 13, IR version 7: onnxruntime 1.6 and newer"


@pytest.mark.parametrize(("kinds", "wanted"), [(("Conv", "Clip"), 11), (("Conv", "DequantizeLinear"), 13), ((), 11)])
def test_a_file_needs_the_lowest_opset_of_its_operators(kinds: tuple[str, ...], wanted: int) -> None:
    assert opset.needed(kinds) == wanted


def test_an_ir_version_is_the_one_its_opset_came_with() -> None:
    for version, ir_version in opset.IR_VERSIONS.items():
        assert onnx.helper.find_min_ir_version_for([onnx.helper.make_opsetid("", version)]) == ir_version
