from __future__ import annotations

import pytest

from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation.classifier import adapt
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.formats.metadata import Metadata, Preprocess, Quantisation, Weights


def taken(dtype: str = "float32", scale: float | None = None, zero_point: float | None = None) -> ImageInput:
    return ImageInput("m.onnx", (1, 96, 96, 3), dtype, scale, zero_point)


def metadata(resolution: int = 96, grid: Quantisation | None = None) -> Metadata:
    rule = Preprocess(resolution, crop=0.9)
    return Metadata("v", "float32", 10, 1, 1, rule, Weights("random"), input=grid)


def test_metadata_decides_and_nothing_is_assumed():
    own = metadata()
    assert adapt(taken(), own) == (own.preprocess, taken(), ())


def test_foreign_file_gets_the_usual_rule_at_its_own_side_and_says_so():
    rule, own, assumed = adapt(taken(), None)
    assert (rule, own) == (Preprocess(resolution=96), taken())
    (sentence,) = assumed
    assert sentence == "preprocessing (assumed: centre crop 0.875, bilinear, RGB scaled to -1..1)"


def test_grid_of_the_runtime_comes_before_that_of_the_metadata():
    _, own, _ = adapt(taken("int8", 0.25, 1), metadata(grid=Quantisation(0.5, 3)))
    assert (own.scale, own.zero_point) == (0.25, 1)


def test_grid_of_an_onnx_input_comes_from_the_metadata():
    _, own, assumed = adapt(taken("uint8"), metadata(grid=Quantisation(0.5, 3)))
    assert (own.scale, own.zero_point, assumed) == (0.5, 3, ())


def test_integer_input_of_unknown_grid_takes_raw_pixels_and_says_so():
    rule, own, assumed = adapt(taken("uint8"), None)
    assert (own.scale, own.zero_point) == (rule.scale, 127.5)
    assert assumed[1] == "grid of its uint8 input (assumed: raw pixels)"


def test_metadata_of_another_resolution_is_refused():
    with pytest.raises(InputError, match=r"m\.onnx says its images are 128 pixels wide, but takes 96; export it again"):
        adapt(taken(), metadata(128))
