"""The options of TFLite operators, read from files that the schema's own classes wrote."""

import numpy as np
import pytest

from mobilenet_edge.formats.contents import Tensor
from mobilenet_edge.formats.tflite import options
from mobilenet_edge.formats.tflite import read as tflite
from mobilenet_edge.formats.tflite.builder import ModelBuilder

WRITTEN = {
    "AVERAGE_POOL_2D": (
        "Pool2DOptions",
        {"FusedActivationFunction": 3, "Padding": 1, "FilterWidth": 5, "FilterHeight": 6, "StrideW": 7},
        {"fused_activation": 3, "padding": 1, "filter_w": 5, "filter_h": 6},
    ),
    "CONCATENATION": ("ConcatenationOptions", {"FusedActivationFunction": 1, "Axis": 3}, {"fused_activation": 1}),
    "CONV_2D": (
        "Conv2DOptions",
        {"DilationWFactor": 2, "DilationHFactor": 3, "StrideW": 7},
        {"dilation_w": 2, "dilation_h": 3},
    ),
    "DEPTHWISE_CONV_2D": (
        "DepthwiseConv2DOptions",
        {"DilationWFactor": 4, "DilationHFactor": 5, "DepthMultiplier": 7, "StrideW": 2, "StrideH": 3},
        {"dilation_w": 4, "dilation_h": 5, "stride_w": 2, "stride_h": 3},
    ),
    "FULLY_CONNECTED": ("FullyConnectedOptions", {"WeightsFormat": 1}, {"weights_format": 1}),
    "MAX_POOL_2D": ("Pool2DOptions", {"FusedActivationFunction": 1, "StrideW": 2}, {"fused_activation": 1}),
    "PACK": ("PackOptions", {"ValuesCount": 2, "Axis": -1}, {"axis": -1}),
    "RESIZE_BILINEAR": (
        "ResizeBilinearOptions",
        {"AlignCorners": True, "HalfPixelCenters": False},
        {"align_corners": 1, "half_pixel_centers": 0},
    ),
    "RESIZE_NEAREST_NEIGHBOR": (
        "ResizeNearestNeighborOptions",
        {"AlignCorners": False, "HalfPixelCenters": True},
        {"align_corners": 0, "half_pixel_centers": 1},
    ),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        {"BeginMask": 7, "EllipsisMask": 1, "NewAxisMask": 2},
        {"ellipsis_mask": 1, "new_axis_mask": 2},
    ),
}


def read(kind, table=None, values=None):
    file = ModelBuilder()
    source, output = (file.tensor(name, (1, 4), "int8", None, [0.5]) for name in "xy")
    file.operator(kind, [source], output, options=table, **(values or {}))
    return tflite.contents(file.finish([source], [output], "")).operators[0].options


@pytest.mark.parametrize(("kind", "written"), WRITTEN.items(), ids=WRITTEN)
def test_options_are_those_that_were_written(kind, written):
    table, values, wanted = written
    assert read(kind, table, values) == wanted


@pytest.mark.parametrize("kind", WRITTEN)
def test_without_a_table_they_are_the_schemas_defaults(kind):
    wanted = {name: int(name.startswith("dilation")) for name in WRITTEN[kind][2]}
    assert read(kind) == wanted == read(kind, WRITTEN[kind][0]) == options.read(kind, None)


def test_of_other_operators_nothing_is_read():
    assert read("ADD", "AddOptions", {"FusedActivationFunction": 1}) == {}


def test_constants_are_the_files_own_bytes():
    file = ModelBuilder()
    source = file.tensor("x", (1, 8, 8, 3), "int8", None, [0.5])
    axes = file.tensor("axes", (2,), "int32", np.array([1, -2], np.int32))
    zeros = file.tensor("w", (3,), "int8", np.array([-1, 0, 1], np.int8), [0.5])
    tensors = tflite.contents(file.finish([source, axes, zeros], [source], "")).tensors
    assert tensors["axes"].integers == (1, -2)
    assert bytes(tensors["w"].constant) == b"\xff\x00\x01"
    assert (tensors["w"].integers, tensors["x"].integers) == ((), ())


def test_a_cut_off_constant_gives_whole_numbers_only():
    assert Tensor("x", (2,), "int32", constant=memoryview(b"\1\0\0\0\2")).integers == (1,)
