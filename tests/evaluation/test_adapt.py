from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge.data import pixels
from mobilenet_edge.data.pixel_options import PixelOptions
from mobilenet_edge.data.preprocess import PARTS, Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation import adapt as rules
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.contents import Contents
from mobilenet_edge.formats.metadata import Metadata, Quantisation, Weights

ASSUMED = "preprocessing (assumed: RGB, centre crop 0.875, bilinear, pixels -1..1)"


def taken(dtype: str = "float32", scale: float | None = None, zero_point: float | None = None) -> ImageInput:
    return ImageInput("m.onnx", (1, 96, 96, 3), dtype, scale, zero_point)


def file(about: Metadata | None = None) -> Artifact:
    return Artifact(Path("m.onnx"), "onnx", b"", about, Contents({}, (), (), (), {}))


def made(side: int = 96, grid: Quantisation | None = None) -> Artifact:
    rule = Preprocess((side, side), crop=0.9).known("built-in")
    return file(Metadata("v", "float32", 10, 1, 1, rule, Weights("random"), input=grid))


def adapt(taken: ImageInput, model: Artifact, **stated: Any) -> Any:
    return rules.adapt(taken, model, PixelOptions(**stated))


def test_metadata_decides_and_nothing_is_assumed():
    assert adapt(taken(), made()) == (made().metadata.preprocess, taken(), ())


def test_what_metadata_says_was_assumed_stays_assumed():
    guess = Preprocess((96, 96)).known("stated", *(part for part in PARTS if part != "pixels"))
    about = Metadata("v", "float32", 10, 1, 1, guess, Weights("random"))
    assert adapt(taken(), file(about))[2] == ("preprocessing (assumed: pixels -1..1)",)


def test_foreign_file_gets_the_usual_rule_at_its_own_size_and_says_so():
    rule, own, assumed = adapt(taken(), file())
    assert (rule, own, assumed) == (Preprocess((96, 96)), taken(), (ASSUMED,))


def test_stated_pixels_go_before_the_metadata():
    rule, _, assumed = adapt(taken(), made(), pixels="0..1", colour="bgr")
    assert (pixels.name(rule), rule.colour, rule.crop, assumed) == ("0..1", "bgr", 0.9, ())
    assert [rule.of(part) for part in ("pixels", "colour", "crop")] == ["stated", "stated", "built-in"]


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "expected"),
    [
        ("uint8", 1 / 255, 0, "0..1"),
        ("int8", 0.00392157, -128, "0..1"),
        ("int8", 0.0038, -128, "0..1"),  # pictures without pure white
        ("uint8", 1.0, 0, "0..255"),
        ("int8", 1.0, -128, "0..255"),
        ("int8", 0.00784314, -1, "-1..1"),
        ("int8", 1 / 128, 0, "-1..1"),
        ("uint8", 0.0078125, 128, "-1..1"),
        ("uint8", 4.757 / 255, 114, "imagenet"),
        ("int8", 274.74 / 255, -13, "caffe"),
    ],
)
def test_grid_of_a_foreign_input_shows_the_pixels(dtype, scale, zero_point, expected):
    rule, _, assumed = adapt(taken(dtype, scale, zero_point), file())
    assert (pixels.name(rule), rule.of("pixels")) == (expected, "grid")
    assert rule.colour == ("bgr" if expected == "caffe" else "rgb")
    assert "pixels" not in assumed[0]


@pytest.mark.parametrize(("scale", "zero_point"), [(0.1, 0), (1 / 255, 60), (0.006, 0)])
def test_other_grids_show_nothing(scale, zero_point):
    assert adapt(taken("uint8", scale, zero_point), file())[2] == (ASSUMED,)


def test_stated_pixels_must_fit_the_grid_and_the_message_names_those_that_do():
    with pytest.raises(InputError, match=r"takes 0 to 1 at its input, but pixels -1..1 are .*; give --pixels 0..1$"):
        adapt(taken("int8", 1 / 255, -128), file(), pixels="-1..1")
    with pytest.raises(InputError, match=r"takes 0 to 255 .* pixels 0..1 are 0 to 1; give --pixels 0..255$"):
        adapt(taken("uint8", 1.0, 0), file(), pixels="0..1")


def test_grid_of_the_runtime_comes_before_that_of_the_metadata():
    _, own, _ = adapt(taken("int8", 0.25, 1), made(grid=Quantisation(0.5, 3)))
    assert (own.scale, own.zero_point) == (0.25, 1)


def test_grid_of_an_onnx_input_comes_from_the_metadata():
    _, own, assumed = adapt(taken("uint8"), made(grid=Quantisation(0.5, 3)))
    assert (own.scale, own.zero_point, assumed) == (0.5, 3, ())


def test_integer_input_of_unknown_grid_takes_raw_pixels_and_says_so():
    rule, own, assumed = adapt(taken("uint8"), file())
    assert (pixels.name(rule), own.scale, own.zero_point) == ("0..255", 1.0, 0)
    assert assumed[1] == "grid of its uint8 input (assumed: raw pixels)"


def test_metadata_of_another_size_is_refused():
    with pytest.raises(InputError, match=r"m\.onnx says its images are 128 x 128 x 3, but takes 96 x 96 x 3; export"):
        adapt(taken(), made(128))
