"""What each target takes."""

import pytest

from mobilenet_edge.cli import choices
from mobilenet_edge.conversion import target
from mobilenet_edge.conversion.target import TARGETS
from mobilenet_edge.errors import UsageError
from mobilenet_edge.sweep import config


def test_the_command_line_offers_every_target():
    assert [each.value for each in choices.TargetOption] == list(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_takes_its_own_defaults(name):
    found = target.find(name)
    assert found.name == name
    for kind in found.formats:
        found.check([kind], found.precisions, found.io(kind))
    found.check((), (), None)


def test_generic_takes_everything():
    generic = target.find("generic")
    assert generic.formats == ("tflite", "onnx")
    assert generic.precisions[:2] == ("float32", "int8")
    assert (generic.io("tflite"), generic.io("onnx")) == ("int8", "float32")
    generic.check(("tflite", "onnx"), ("int8",), "uint8")


@pytest.mark.parametrize(
    ("formats", "precisions", "io", "message"),
    [
        (["onnx"], ["int8"], None, "--target edgetpu takes --format tflite, not onnx"),
        (["tflite", "onnx"], ["int8"], "int8", "takes --format tflite, not onnx"),
        (["tflite"], ["float32"], None, "takes --precision int8, not float32"),
        (["tflite"], ["int8"], "float32", "takes --io int8 or uint8, not float32"),
    ],
)
def test_the_edge_tpu_takes_only_full_integer_tflite(formats, precisions, io, message):
    with pytest.raises(UsageError) as caught:
        target.find("edgetpu").check(formats, precisions, io)
    assert message in str(caught.value)


def test_an_unknown_target_names_the_known():
    with pytest.raises(UsageError, match="no target gpu; there are generic, x86, x86-vnni, arm64, edgetpu"):
        target.find("gpu")


@pytest.mark.parametrize("precision", ["float16", "dynamic"])
def test_float_activations_are_written_where_they_are_asked_for(precision):
    generic = target.find("generic")
    assert precision not in generic.precisions
    generic.check(("tflite", "onnx"), (precision,), None)
    with pytest.raises(UsageError, match=f"--target edgetpu takes --precision int8, not {precision}"):
        target.find("edgetpu").check(("tflite",), (precision,), None)


def test_every_precision_can_be_asked_for_somewhere():
    taken = {each for one in TARGETS.values() for each in (*one.precisions, *one.more)}
    assert taken == set(config.PRECISIONS) == {each.value for each in choices.Precision}
