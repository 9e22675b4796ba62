from __future__ import annotations

import pytest

from mobilenet_edge.data import describe, pixels
from mobilenet_edge.data.pixel_options import PixelOptions
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import UsageError

RULE = Preprocess((8, 8))


@pytest.mark.parametrize("name", [*pixels.NAMED])
def test_every_name_comes_back(name):
    rule = PixelOptions(pixels=name).apply(RULE)
    assert (pixels.name(rule), rule.of("pixels")) == (name, "stated")
    assert f"pixels {name} (stated)" in describe.line(rule)


def test_named_pixels_are_those_of_their_authors():
    imagenet, caffe = (PixelOptions(pixels=name).apply(RULE) for name in ("imagenet", "caffe"))
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    for channel in range(3):
        value = 77 * imagenet.scale[channel] + imagenet.offset[channel]
        assert value == pytest.approx((77 / 255 - mean[channel]) / std[channel])
    assert (caffe.colour, caffe.scale, caffe.of("colour")) == ("bgr", (1.0,) * 3, "stated")
    assert caffe.offset == pytest.approx((-103.939, -116.779, -123.68))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mean=0.485,0.456,0.406,std=0.229,0.224,0.225", "imagenet"),
        ("std=0.5,mean=0.5", "-1..1"),
        ("mean=127.5,std=127.5", "-1..1"),
        ("mean=0,std=255", "0..1"),
    ],
)
def test_mean_and_std_are_of_the_unit_that_fits(text, name):
    assert pixels.name(PixelOptions(pixels=text).apply(RULE)) == name


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"pixels": "mean=0,std=1"}, "may be of pixels 0..1 or 0..255"),
        ({"pixels": "mean=0.5,std=58"}, "may be of pixels 0..1 or 0..255"),
        ({"pixels": "mean=1,2,std=1"}, "one number or three each"),
        ({"pixels": "mean=0.5,std=0"}, "a std above 0"),
        ({"pixels": "mean=0.5"}, "is not mean=… and std=…"),
        ({"pixels": "imagnet"}, "did you mean imagenet?"),
        ({"colour": "gray"}, "did you mean grey?"),
        ({"fit": "padding"}, "did you mean pad?"),
        ({"filter": "linear"}, "did you mean bilinear?"),
        ({"crop": 1.5}, "--crop 1.5 is not a share"),
        ({"crop": 0.9, "fit": "pad"}, "--crop is for --fit crop"),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_stated(stated, message):
    with pytest.raises(UsageError, match=message):
        PixelOptions(**stated)


def test_three_colours_and_grey_do_not_mix():
    grey = Preprocess.for_input(8, 8, 1)
    assert PixelOptions(pixels="0..1").apply(grey).scale == (1 / 255,)
    for stated in ({"pixels": "imagenet"}, {"colour": "rgb"}):
        with pytest.raises(UsageError):
            PixelOptions(**stated).apply(grey)


def test_scales_stay_with_their_colour():
    imagenet = PixelOptions(pixels="imagenet").apply(RULE)
    turned = PixelOptions(colour="bgr").apply(imagenet)
    assert (turned.scale, turned.offset) == (imagenet.scale[::-1], imagenet.offset[::-1])
    assert turned == PixelOptions(pixels="imagenet", colour="bgr").apply(RULE)


def test_assumptions_are_shown_with_the_option_that_states_them():
    rule = PixelOptions(pixels="0..1", fit="stretch").apply(Preprocess.for_input(64, 96))
    assert describe.line(rule) == (
        "64 x 96 px (known: the model's input), RGB (ASSUMED: --colour), stretched (stated), "
        "bilinear (ASSUMED: --filter), pixels 0..1 (stated)"
    )
