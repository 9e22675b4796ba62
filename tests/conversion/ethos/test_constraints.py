"""What Vela places on the CPU, by its published constraints; `test_vela` holds the same graphs to Vela itself."""

from __future__ import annotations

import pytest

from mobilenet_edge.conversion.ethos import ACCELERATORS, constraints, fallback, generation
from mobilenet_edge.conversion.target import TARGETS
from mobilenet_edge.formats.contents import Contents, Operator

OLD, NEW = "ethos-u55-128", "ethos-u85-256"


def reasons(contents: Contents, accelerator: str = OLD) -> dict[str, str]:
    return {each.output: each.reason for each in fallback.check(contents, accelerator).verdicts if not each.mapped}


def test_each_accelerator_is_a_target():
    assert set(ACCELERATORS) <= TARGETS.keys()
    assert {generation(name) for name in ACCELERATORS} == {"u55", "u65", "u85"}
    assert all(TARGETS[name].formats == ("tflite",) and TARGETS[name].precisions == ("int8",) for name in ACCELERATORS)


def test_an_unknown_operator_stays_alone_on_the_cpu(sketch):
    # Unlike the Edge TPU's, the parts of the NPU may be several.
    s = sketch()
    found = fallback.check(s.contents(s.conv(s.op("FLOOR", [s.conv(s.image)]))), OLD)
    assert [each.mapped for each in found.verdicts] == [True, False, True]
    assert found.verdicts[1].reason == "not among the operators that the Ethos-U55 runs"


def test_multiplications_are_shared_out(sketch):
    s = sketch()
    strided = {"options": "DepthwiseConv2DOptions", "StrideW": 4, "StrideH": 4, "DepthMultiplier": 1}
    weights = s.constant([[[[1] * 4] * 3] * 3], "int8", (0.1,) * 4)
    bias = s.constant([0] * 4, "int32", (0.1,) * 4)
    x = s.op("DEPTHWISE_CONV_2D", [s.conv(s.image), weights, bias], (1, 2, 2, 4), **strided)
    found = fallback.check(s.contents(x), OLD)
    # 8 x 8 x 4 outputs of 4 products; 2 x 2 x 4 of 9, on the CPU because of the stride.
    assert (found.mapped_macs, found.macs) == (1024, 1024 + 144)
    assert found.verdicts[1].reason == "its stride is 4, more than 3"
    assert reasons(s.contents(x), NEW) == {}


def test_floats_have_no_place(sketch):
    s = sketch(dtype="float32")
    x = s.conv(s.op("QUANTIZE", [s.image], options="QuantizeOptions"))
    x = s.op("DEQUANTIZE", [x], dtype="float32", options="DequantizeOptions")
    found = fallback.check(s.contents(x), NEW)
    assert [each.mapped for each in found.verdicts] == [False, True, False]
    assert found.verdicts[0].reason == "t1 is float32"


@pytest.mark.parametrize(
    ("side", "accelerator", "reason"),
    [
        (16, OLD, ""),
        (24, OLD, "it scales by 3"),
        (24, NEW, "it scales by 3, no power of two"),
        (128, OLD, "it scales by 16"),
        (128, NEW, ""),
    ],
)
def test_resizing_by_a_power_of_two(sketch, side: int, accelerator: str, reason: str):
    s = sketch()
    sides = [s.image, s.constant([side, side])]
    x = s.op("RESIZE_BILINEAR", sides, (1, side, side, 4), options="ResizeBilinearOptions")
    assert [*reasons(s.contents(x), accelerator).values()] == [reason] * bool(reason)


@pytest.mark.parametrize(("axes", "shape", "refused"), [([1, 2], (1, 4), False), ([3], (1, 8, 8), True)])
def test_the_mean_of_a_depth(sketch, axes: list[int], shape: tuple[int, ...], refused: bool):
    s = sketch()
    x = s.op("MEAN", [s.image, s.constant(axes)], shape, options="ReducerOptions")
    assert bool(reasons(s.contents(x))) == refused


def test_a_compiled_file_is_known_as_such(sketch):
    contents = Contents({}, (Operator("ethos-u", (), ()),), (), (), {})
    found = fallback.check(contents, OLD)
    assert (found.compiled, found.mapped) == (True, 1)


def test_what_cannot_be_an_operator_is_no_crash():
    found = fallback.check(Contents({}, (Operator("MEAN", (), ()),), (), (), {}), OLD)
    assert found.verdicts[0].reason == "its tensors are not those of the operator"


def test_constraints_that_are_not_checked_are_a_caution(sketch):
    s = sketch()
    (verdict,) = fallback.check(s.contents(s.op("TRANSPOSE", [s.image, s.constant([0, 2, 1, 3])])), OLD).verdicts
    assert (verdict.mapped, verdict.caution) == (True, "Vela has constraints on it that are not checked here")
    assert constraints.kinds(NEW) >= constraints.UNCHECKED


def test_the_record_holds_every_operator(sketch):
    s = sketch()
    made = fallback.check(s.contents(s.op("HARD_SWISH", [s.conv(s.image)])), OLD).to_dict()
    assert (made["target"], made["compiled"], made["mapped"], made["total"]) == (OLD, False, 2, 2)
    assert [each["kind"] for each in made["ops"]] == ["CONV_2D", "HARD_SWISH"]
    assert "Vela" in made["source"]
