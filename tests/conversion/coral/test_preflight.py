"""Which operators of a whole file are mapped, where its partition is cut, and whether its parameters fit."""

import numpy as np
import pytest

from mobilenet_edge.conversion.coral import preflight
from mobilenet_edge.conversion.coral.preflight import ON_CHIP_BYTES, ROOM_BYTES
from mobilenet_edge.errors import BuildError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.contents import Contents, Operator, Tensor


def mapped(found):
    return [each.mapped for each in found.verdicts]


def test_the_partition_ends_at_the_first_refusal(sketch):
    s = sketch()
    x = s.op("HARD_SWISH", [s.conv(s.image)])
    found = preflight.check(s.contents(s.op("RELU", [s.conv(x)])))
    assert mapped(found) == [True, False, False, False]
    assert found.cut == 1
    assert "not among" in found.verdicts[1].reason
    assert found.verdicts[3].reason == "behind operator 1, where the one partition ends"


def test_float_ends_stay_on_the_cpu_and_the_middle_is_mapped(sketch):
    # What the compiler reports of MobileNet v2 with float ends: f0cal/google-coral#20.
    s = sketch(dtype="float32")
    x = s.conv(s.op("QUANTIZE", [s.image], options="QuantizeOptions"))
    found = preflight.check(s.contents(s.op("DEQUANTIZE", [x], dtype="float32", options="DequantizeOptions")))
    assert mapped(found) == [False, True, False]
    assert (found.cut, found.mapped) == (2, 1)
    assert "is float32" in found.verdicts[0].reason


def test_a_branch_that_needs_nothing_of_the_cpu_stays_in_the_partition(sketch):
    s = sketch()
    x = s.conv(s.image)
    refused = s.op("HARD_SWISH", [x])
    beside = s.conv(x)
    found = preflight.check(s.contents(s.op("ADD", [refused, beside])))
    assert mapped(found) == [True, False, True, False]
    assert found.cut == 1


def test_a_second_part_that_begins_at_the_input_is_not_compiled(sketch):
    # Refused operators that do not come first end the partition, although they read the image itself.
    s = sketch()
    first = s.conv(s.image)
    second = s.conv(s.op("HARD_SWISH", [s.image]))
    found = preflight.check(s.contents(s.op("ADD", [first, second])))
    assert mapped(found) == [True, False, False, False]


def test_a_float_file_is_refused_whole(sketch):
    s = sketch(dtype="float32")
    x = s.op("RELU", [s.image], dtype="float32")
    found = preflight.check(s.contents(s.op("RELU6", [x], dtype="float32")))
    assert mapped(found) == [False, False]
    assert all("is float32" in each.reason for each in found.verdicts)
    assert (found.cut, found.parameter_bytes, found.runtime) == (None, 0, 0)


def test_parameters_of_mapped_operators_are_counted_once(sketch):
    s = sketch()
    weights = s.constant(np.ones((4, 1, 1, 4)), "int8", (0.1,) * 4)
    x = s.conv(s.conv(s.image, weights=weights), weights=weights)
    pool = s.op("MEAN", [x, s.constant([1, 2])], (1, 4), options="ReducerOptions")
    found = preflight.check(s.contents(s.op("HARD_SWISH", [pool], (1, 4))))
    # Shared weights 4 * 4, two biases of 4 int32; axes are no parameters.
    assert found.parameter_bytes == 16 + 2 * 16
    assert found.fits == "yes"


@pytest.mark.parametrize(
    ("size", "fits"),
    [
        (ROOM_BYTES, "yes"),
        (ROOM_BYTES + 1, "perhaps"),
        (ON_CHIP_BYTES, "perhaps"),
        (ON_CHIP_BYTES + 1, "no"),
    ],
)
def test_parameters_against_the_chip(size, fits):
    tensors = {
        "x": Tensor("x", (1, 8), "int8", (0.5,)),
        "w": Tensor("w", (8, 8), "int8", (0.5,), constant_bytes=size),
        "y": Tensor("y", (1, 8), "int8", (0.5,)),
    }
    found = preflight.check(Contents(tensors, (Operator("ADD", ("x", "w"), ("y",)),), ("x",), ("y",), {}))
    assert (found.parameter_bytes, found.fits) == (size, fits)


def test_the_runtime_is_that_of_the_newest_operator(sketch):
    s = sketch(dtype="uint8")
    assert preflight.check(s.contents(s.op("RELU", [s.image], dtype="uint8"))).runtime == 0
    s = sketch()
    assert preflight.check(s.contents(s.conv(s.image))).runtime == 12
    s = sketch()
    x = s.op("TRANSPOSE", [s.image, s.constant([0, 2, 1, 3])])
    assert preflight.check(s.contents(s.op("QUANTIZE", [x]))).runtime == 14


def test_an_empty_graph_has_nothing_to_map(sketch):
    s = sketch()
    found = preflight.check(s.contents(s.image))
    assert (found.verdicts, found.cut, found.mapped, found.runtime) == ((), None, 0, 0)


def test_the_record_holds_every_operator(sketch):
    s = sketch()
    made = preflight.check(s.contents(s.op("HARD_SWISH", [s.conv(s.image)]))).to_dict()
    assert (made["target"], made["compiled"], made["mapped"], made["total"], made["cut"]) == ("edgetpu", False, 1, 2, 1)
    assert [each["kind"] for each in made["ops"]] == ["CONV_2D", "HARD_SWISH"]
    assert set(made["ops"][0]) == {"index", "kind", "output", "mapped", "reason", "caution"}
    assert made["source"].startswith("https://coral.ai/")


def test_require_names_the_first_operator_left(sketch):
    s = sketch()
    good = s.conv(s.image)
    preflight.require(s.contents(good))
    s = sketch()
    bad = s.contents(s.conv(s.op("HARD_SWISH", [s.conv(s.image)])))
    with pytest.raises(BuildError, match=r"leave 2 of 3 operators on the CPU, first HARD_SWISH t\d+: not among"):
        preflight.require(bad)


@pytest.mark.data
def test_googles_quantised_model_is_mapped_whole(data):
    found = preflight.check(artifact.read(data / "reference/mobilenet_v1_0.25_128_quant.tflite").contents)
    assert found.mapped == len(found.verdicts) == 31
    assert (found.cut, found.runtime, found.compiled, found.fits) == (None, 0, False, "yes")
    # 463,600 weights of a byte and biases of 4: 464 k minus biases, with 1001 classes.
    assert 463_000 < found.parameter_bytes < 485_000
    assert not any(each.caution for each in found.verdicts)


@pytest.mark.data
def test_googles_compiled_model_is_known_as_such(data):
    found = preflight.check(artifact.read(data / "reference/mobilenet_v1_0.25_128_quant_edgetpu.tflite").contents)
    assert found.compiled
    assert (mapped(found), found.fits, found.to_dict()["parameter_bytes"]) == ([True], None, None)
