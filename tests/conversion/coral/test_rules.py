"""Each rule of the Edge TPU, on a graph that keeps it and on graphs that break it."""

import re
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.conversion.coral import preflight
from mobilenet_edge.conversion.coral.limits import LARGE_ELEMENTS, SOFTMAX_ELEMENTS
from mobilenet_edge.conversion.coral.rules import MIXED_TYPES, RULES
from mobilenet_edge.formats.tflite.opcodes import BUILTIN

DOCS = Path(__file__).parents[3] / "docs" / "coral.md"


def verdict(sketch, output):
    """Of the last operator."""
    return preflight.check(sketch.contents(output)).verdicts[-1]


def axes(sketch, *values):
    return sketch.constant(values)


def pooled(s, **values):
    return s.op("MAX_POOL_2D", [s.image], options="Pool2DOptions", **values)


def padded(s, amounts):
    return s.op("PAD", [s.image, s.constant(amounts)], options="PadOptions")


def reduced(s, kind, *over):
    return s.op(kind, [s.image, axes(s, *over)], (1, 4), options="ReducerOptions")


def joined(s, *constants, fused=0):
    inputs = [s.image, *(s.constant(np.full((1, 8, 8, 4), each), "int8", (0.5,), -3) for each in constants)]
    return s.op("CONCATENATION", inputs, options="ConcatenationOptions", FusedActivationFunction=fused, Axis=3)


def dense(s, scales=(0.1,), shape=(1, 4), **values):
    weights = s.constant(np.ones((4, 256)), "int8", scales)
    return s.op("FULLY_CONNECTED", [s.image, weights], shape, options="FullyConnectedOptions", **values)


def sliced(s, strides, **values):
    ends = [s.constant([0, 0, 0, 0]), s.constant([1, 8, 8, 4]), s.constant(strides)]
    return s.op("STRIDED_SLICE", [s.image, *ends], options="StridedSliceOptions", **values)


def dilated(s, width, height):
    return s.conv(s.image, DilationWFactor=width, DilationHFactor=height)


def softmax(sketch, *shape):
    s = sketch(shape)
    return s, s.op("SOFTMAX", [s.image], shape, options="SoftmaxOptions", Beta=1.0)


KEPT = {
    "a convolution": lambda s: s.conv(s.image),
    "the same dilation": lambda s: dilated(s, 2, 2),
    "a plain pool": pooled,
    "a mean over x and y": lambda s: reduced(s, "MEAN", 1, 2),
    "a mean over z of 4": lambda s: reduced(s, "MEAN", -1),
    "a sum": lambda s: reduced(s, "SUM", 1, 2),
    "padding in x and y": lambda s: padded(s, [[0, 0], [1, 1], [1, 1], [0, 0]]),
    "zero padding of channels": lambda s: joined(s, -3),
    "a dense layer": dense,
    "a slice": lambda s: sliced(s, [1, 1, 1, 1]),
    "packing": lambda s: s.op("PACK", [s.image], (1, 8, 8, 4), options="PackOptions", ValuesCount=1, Axis=3),
    "splitting": lambda s: s.op("SPLIT", [axes(s, 3), s.image], options="SplitOptions", NumSplits=1),
    "a slope a channel": lambda s: s.op("PRELU", [s.image, s.constant(np.ones((1, 1, 4)), "int8", (0.1,))]),
    "a constant reshape": lambda s: s.op("RESHAPE", [s.image, s.constant([1, 256])], (1, 256)),
}
BROKEN = {
    "dilation that differs": (lambda s: dilated(s, 1, 2), "its dilation differs in x and y: 1 and 2"),
    "a fused activation": (lambda s: pooled(s, FusedActivationFunction=1), "fused activation"),
    "a mean over the batch": (lambda s: reduced(s, "MEAN", 0, 1), "reduces the batch"),
    "a maximum over the batch, from behind": (lambda s: reduced(s, "REDUCE_MAX", -4), "reduces the batch"),
    "padding of the batch": (lambda s: padded(s, [[1, 0], [1, 1], [1, 1], [0, 0]]), "pads the batch"),
    "two constants joined": (lambda s: joined(s, -3, -3), "more than one other input"),
    "ones joined": (lambda s: joined(s, 1), "not all zeros"),
    "a join with activation": (lambda s: joined(s, fused=1), "fused activation"),
    "a dense layer with a scale a channel": (lambda s: dense(s, (0.1,) * 4), "use a CONV_2D"),
    "a dense layer of many rows": (lambda s: dense(s, shape=(8, 4)), "more than one-dimensional"),
    "shuffled weights": (lambda s: dense(s, WeightsFormat=1), "default format"),
    "a slice with steps": (lambda s: sliced(s, [1, 2, 2, 1]), r"strides are \[1, 2, 2, 1\]"),
    "a slice with a new axis": (lambda s: sliced(s, [1, 1, 1, 1], NewAxisMask=1), "new axis mask"),
    "packing of the batch": (
        lambda s: s.op("PACK", [s.image], (1, 8, 8, 4), options="PackOptions", ValuesCount=1, Axis=-4),
        "packs along the batch",
    ),
    "splitting of the batch": (lambda s: s.op("SPLIT", [axes(s, 0), s.image]), "splits the batch"),
    "a slope a pixel": (
        lambda s: s.op("PRELU", [s.image, s.constant(np.ones((8, 8, 4)), "int8", (0.1,))]),
        "more than one-dimensional",
    ),
    "weights that are computed": (
        lambda s: s.conv(s.image, weights=s.tensor((4, 1, 1, 4))),
        "weights must be constant",
    ),
    "a shape that is computed": (
        lambda s: s.op("RESHAPE", [s.image, s.op("RELU", [s.image])], (1, 256)),
        "shape must be constant",
    ),
    "an unknown operator": (lambda s: s.op("HARD_SWISH", [s.image]), "not among the operators"),
    "a float convolution": (lambda s: s.conv(s.image, weights=s.constant(np.ones((4, 1, 1, 4)), "float32")), "float32"),
    "an int8 tensor of no scale": (lambda s: s.op("RELU", [s.tensor((1, 8), scales=())]), "has no scale"),
    "an open batch": (lambda s: s.op("RELU", [s.tensor((-1, 8, 8, 4))]), r"open size: .* is \[-1, 8, 8, 4\]"),
    "a batch of 2": (lambda s: s.op("RELU", [s.tensor((2, 8, 8, 4))], (2, 8, 8, 4)), "too many sizes above 1"),
    "five sides": (lambda s: s.op("RELU", [s.tensor((1, 2, 8, 8, 4))], (1, 2, 8, 8, 4)), "only the last 3"),
    "too few inputs": (lambda s: s.op("MEAN", [s.image], (1, 4)), "fewer inputs"),
}


@pytest.mark.parametrize("build", KEPT.values(), ids=KEPT)
def test_what_keeps_the_rules_is_mapped(sketch, build):
    s = sketch()
    found = verdict(s, build(s))
    assert (found.mapped, found.reason) == (True, "")


@pytest.mark.parametrize(("build", "reason"), BROKEN.values(), ids=BROKEN)
def test_what_breaks_a_rule_is_refused_in_words(sketch, build, reason):
    s = sketch()
    found = verdict(s, build(s))
    assert not found.mapped
    assert re.search(reason, found.reason), found.reason


def test_a_mean_over_z_needs_a_multiple_of_four(sketch):
    s = sketch((1, 8, 8, 6))
    found = verdict(s, s.op("MEAN", [s.image, axes(s, 3)], (1, 8, 8), options="ReducerOptions"))
    assert found.reason == "it reduces along z, whose size 6 is not a multiple of 4"


def test_softmax_takes_one_dimension_of_16000():
    assert SOFTMAX_ELEMENTS == 16_000


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((1, 1000), ""),
        ((1, 16_000), ""),
        ((1, 16_001), "its input has 16,001 elements, more than 16,000"),
        ((1, 4, 1000), "more than one-dimensional"),
    ],
)
def test_softmax_of(sketch, shape, reason):
    found = verdict(*softmax(sketch, *shape))
    assert found.mapped == (not reason)
    assert reason in found.reason


def test_a_large_reshape_is_mapped_with_a_caution(sketch):
    s = sketch((1, 256, 256, 1))
    elements = 256 * 256
    assert elements == LARGE_ELEMENTS
    found = verdict(s, s.op("RESHAPE", [s.image, s.constant([1, elements])], (1, elements)))
    assert found.mapped
    assert found.caution == "may stay on the CPU: 65,536 elements are many"
    s = sketch()
    assert not verdict(s, s.op("RESHAPE", [s.image, s.constant([1, 256])], (1, 256))).caution


def test_a_resize_is_mapped_with_a_caution(sketch):
    s = sketch()
    found = verdict(s, s.op("RESIZE_BILINEAR", [s.image, s.constant([16, 16])], (1, 16, 16, 4)))
    assert found.mapped
    assert "precision" in found.caution


def test_kinds_are_those_of_the_schema():
    assert set(RULES) <= set(BUILTIN.values())
    assert set(RULES) >= MIXED_TYPES


def test_the_documentation_lists_every_rule_and_its_runtime():
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", DOCS.read_text(), re.MULTILINE)
    # Operators without a limit stand behind their runtime, the others before it.
    pairs = [pair if pair[0].startswith("`") else pair[::-1] for pair in rows]
    listed = {kind: runtime for kinds, runtime in pairs for kind in re.findall(r"`([A-Z0-9_]{3,})`", kinds)}
    assert listed == {kind: str(rule.runtime or "any") for kind, rule in RULES.items()}
