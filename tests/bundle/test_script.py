"""classify.py makes the pixels of every rule: held to arithmetic in plain Python, and to `data.prepare`."""

from __future__ import annotations

import ast
import itertools
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge.bundle import script
from mobilenet_edge.data import prepare
from mobilenet_edge.data.preprocess import COLOURS, FILTERS, FITS, Preprocess
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.tensors import ImageInput
from tests.bundle.conftest import deployment

SCALE, OFFSET = (0.5, 0.25, 2.0), (-3.0, 1.0, 7.0)


def rule(fit="crop", colour="rgb", size=(4, 6), **others):
    channels = 1 if colour == "grey" else 3
    values = {"crop": 0.75, "filter": "box", "scale": SCALE[:channels], "offset": OFFSET[:channels]}
    return Preprocess(size, colour, fit, pad=(10, 20, 30), **values | others)


def noise(width, height, mode="RGB"):
    shape = (height, width, len(Image.new(mode, (1, 1)).getbands()))
    pixels = np.random.default_rng(width * height).integers(0, 256, shape, np.uint8)
    return Image.fromarray(pixels.squeeze() if shape[2] == 1 else pixels, mode)


def rounded(value):
    """To the nearest, halves up, as Pillow rounds."""
    return int(value + Fraction(1, 2))


def expected(image, model):
    """The input by plain arithmetic, for box filters whose boxes hold whole pixels."""
    rule, pixels = model.rule, np.asarray(image)
    height, width = rule.size
    rows, columns = pixels.shape[:2]
    top = left = 0
    if rule.fit == "crop":
        side = Fraction(rule.crop) * min(Fraction(columns, width), Fraction(rows, height))
        top, left = (rows - side * height) / 2, (columns - side * width) / 2
        across = down = side
    elif rule.fit == "stretch":
        across, down = Fraction(columns, width), Fraction(rows, height)
    else:
        across = down = max(Fraction(columns, width), Fraction(rows, height))
        top, left = (rows - down * height) / 2, (columns - across * width) / 2
    made = np.zeros((height, width, 3), int)
    for y, x in itertools.product(range(height), range(width)):
        first, last = (int(value) for value in (top + down * y, top + down * (y + 1)))
        start, end = (int(value) for value in (left + across * x, left + across * (x + 1)))
        block = pixels[max(first, 0) : max(last, 0), max(start, 0) : max(end, 0)].astype(int)
        # Along the rows first, rounded to bytes between the two, as Pillow does.
        for channel in range(3):
            along = [rounded(Fraction(int(row.sum()), len(row))) for row in block[..., channel] if len(row)]
            made[y, x, channel] = rounded(Fraction(sum(along), len(along))) if along else rule.pad[channel]
    if rule.colour == "grey":
        # ITU-R 601-2, in 16-bit fixed point.
        made = (made @ [19595, 38470, 7471] + 0x8000)[..., None] >> 16
    if rule.colour == "bgr":
        made = made[..., ::-1]
    real = made * np.array(rule.scale) + rule.offset
    laid_out = real.transpose(2, 0, 1) if model.input.channels_first else real
    if model.input.scale:
        limits = np.iinfo(model.input.dtype)
        laid_out = np.clip(np.rint(laid_out / model.input.scale + model.input.zero_point), limits.min, limits.max)
    return laid_out[None]


def taken(rule, layout, dtype):
    height, width = rule.size
    shape = (1, rule.channels, height, width) if layout == "NCHW" else (1, *rule.shape)
    # Steps of 4 and 3: some values lie beyond the ends of the type.
    grid = {"int8": (4.0, -100), "uint8": (3.0, 7), "float32": (None, None)}[dtype]
    return ImageInput("m", shape, dtype, *grid)


# Of 6 x 4 boxes: the centre 24 x 16 of 48 x 32 of a wide or a high picture; twice as wide as high; bars at two sides.
PICTURES = {
    "crop": [(48, 32), (64, 32), (48, 40)],
    "stretch": [(12, 16), (36, 8)],
    "pad": [(12, 4), (8, 16), (18, 6)],
}


@pytest.mark.parametrize("dtype", ["float32", "int8", "uint8"])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("fit", FITS)
def test_pixels_are_those_of_plain_arithmetic(program, fit, colour, layout, dtype):
    made = rule(fit, colour)
    model = deployment(made, taken(made, layout, dtype))
    module = program(model)
    for size in PICTURES[fit]:
        image = noise(*size)
        tensor = module.prepare(image)
        assert (tensor.dtype, tensor.shape) == (dtype, model.input.shape)
        np.testing.assert_array_equal(tensor, expected(image, model))


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("fit", FITS)
def test_every_filter_is_that_of_evaluation(program, fit, filter):
    # Sizes that divide nothing, larger and smaller than the input, and a crop that ends between pixels.
    model = deployment(rule(fit, size=(7, 5), filter=filter, crop=0.875))
    module = program(model)
    for size in ((23, 17), (17, 31), (3, 2), (1, 40)):
        image = noise(*size)
        np.testing.assert_array_equal(module.prepare(image)[0], prepare.prepare(image, model.rule))


def sixteen_bit():
    return Image.fromarray(np.random.default_rng(1).integers(0, 65536, (9, 11)).astype(np.uint16))


def turned():
    image = noise(10, 6)
    image.getexif()[0x0112] = 6
    return image


def palette():
    image = noise(12, 9).quantize(7)
    image.info["transparency"] = 3
    return image


@pytest.mark.parametrize(
    "image",
    [*(noise(9, 9, mode) for mode in ("L", "LA", "RGBA", "CMYK")), sixteen_bit(), turned(), palette()],
    ids=["grey", "grey-alpha", "alpha", "cmyk", "16-bit", "turned", "palette"],
)
@pytest.mark.parametrize("colour", COLOURS)
def test_every_mode_is_that_of_evaluation(program, image, colour):
    model = deployment(rule("stretch", colour, filter="bilinear"))
    np.testing.assert_array_equal(program(model).prepare(image)[0], prepare.prepare(image, model.rule))


def test_pixels_without_a_range_are_refused(program):
    with pytest.raises(ValueError, match="no defined range"):
        program(deployment()).prepare(Image.fromarray(np.ones((4, 4), np.float32)))


@pytest.mark.parametrize(
    ("head", "outputs", "answers"),
    [
        (Head.classes, [0.25, 0.5, 0.25], [("dog", 0.5), ("cat", 0.25), ("hen", 0.25)]),
        (Head.logits, np.log([0.2, 0.7, 0.1]), [("dog", 0.7), ("cat", 0.2), ("hen", 0.1)]),
        (Head.probability, [0.75], [("dog", 0.75), ("cat", 0.25)]),
        (Head.probability, [0.5], [("cat", 0.5), ("dog", 0.5)]),
        (Head.logit, [-np.log(3)], [("cat", 0.75), ("dog", 0.25)]),
        (Head.labels, [0.9, 0.5, 0.6], [("cat", 0.9), ("hen", 0.6)]),
    ],
)
def test_outputs_become_answers(program, head, outputs, answers):
    found = program(deployment(head=head), outputs).classify(noise(8, 8))
    assert [name for name, _ in found] == [name for name, _ in answers]
    assert [share for _, share in found] == pytest.approx([share for _, share in answers], abs=1e-6)


def test_integers_are_read_on_their_grid(program):
    # (255 - 5) / 250 = 1; unsigned integers cannot be negated to be ordered.
    outputs = np.array([0, 255, 130], np.uint8)
    found = program(deployment(grid=(1 / 250, 5)), outputs).classify(noise(8, 8))
    assert found == [("dog", 1.0), ("hen", 0.5), ("cat", pytest.approx(-0.02))]


@pytest.mark.parametrize("head", [head for head in Head if head is not Head.features])
@pytest.mark.parametrize("fit", FITS)
def test_the_program_is_short_and_plain(fit, head):
    for form in ("tflite", "onnx"):
        made = rule(fit, "bgr")
        model = deployment(made, taken(made, "NCHW", "int8"), head=head, grid=(0.5, 3))
        artifact = type(model.artifact)(model.artifact.path, form, b"", None, model.artifact.contents)
        text = script.write(type(model)(**{**vars(model), "artifact": artifact}))
        assert len(text.splitlines()) < 100
        assert max(map(len, text.splitlines())) <= 120
        ast.parse(text, feature_version=(3, 9))
