"""Find out how images are made for a model file: stated, else what the file says, else what is usual for MobileNet."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from typing import Final

import numpy as np

from mobilenet_edge.data import describe, pixels, prepare
from mobilenet_edge.data.pixel_options import NOTHING, PixelOptions
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import BuildError, InputError, UsageError
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.tflite import description
from mobilenet_edge.formats.tflite.description import Description

# Calibration on pictures that lack pure white makes the grid of an input a few percent smaller than the rule.
_NEAR: Final = 0.04
_STEPS: Final = 3
# Share of pixel values that may lie outside the grid of an input, and the least share of the grid that they must use.
_OUTSIDE: Final = 0.3
_USED: Final = 0.05


def adapt(
    taken: ImageInput, model: Artifact, options: PixelOptions = NOTHING
) -> tuple[Preprocess, ImageInput, tuple[str, ...]]:
    """Decide how images are made for a model.

    Args:
        taken: The input as the runtime describes it. ONNX has no grid for an integer input, so it comes from here too.
        model: The file.
        options: What the user states; it goes before what the file says.

    Returns:
        The rule, the input with its grid, and what was assumed, in words.

    Raises:
        InputError: The metadata is of another size than the model, or its integer input cannot hold stated pixels.
    """
    about = model.metadata
    rule = _foreign(taken, model) if about is None else about.preprocess
    if rule.shape != (*taken.size, taken.channels):
        raise InputError(
            f"{taken.model} says its images are {' x '.join(map(str, rule.shape))}, but takes "
            f"{' x '.join(map(str, (*taken.size, taken.channels)))}; export it again"
        )
    remarks = []
    try:
        rule = options.apply(rule)
    except UsageError as error:
        raise InputError(f"{taken.model}: {error}") from error
    if taken.needs_grid and about is not None and about.input is not None:
        taken = taken.with_grid(about.input)
    elif taken.needs_grid:
        # The bytes of the pixels go in, whatever the model makes of them.
        taken, rule = taken.with_grid(taken.raw), rule.with_pixels((1.0,), (0.0,), "assumed")
        remarks.append(f"grid of its {taken.dtype} input (assumed: raw pixels)")
    if rule.of("pixels") == "stated":
        _require_room(rule, taken)
    assumed = describe.assumed(rule)
    return rule, taken, tuple(([f"preprocessing (assumed: {assumed})"] if assumed else []) + remarks)


def _foreign(taken: ImageInput, model: Artifact) -> Preprocess:
    """The rule of a file without metadata of mnet's."""
    rule = Preprocess.for_input(*taken.size, taken.channels)
    if model.format == "keras":
        return _of_layers(rule, model)
    if taken.scale:
        rule = _of_grid(rule, taken)
    about = _described(model)
    if about is None:
        return rule
    if about.mean and taken.dtype == "float32":
        scaled = pixels.normalised(about.mean, about.std)
        return rule.with_pixels(scaled.scale, scaled.offset, "metadata")
    if about.mean and taken.dtype == "uint8" and taken.scale:
        # TFLite's libraries put the bytes of the pixels into such an input, and do not look at its mean.
        return rule.with_pixels((taken.scale,), (-taken.scale * (taken.zero_point or 0),), "metadata")
    return rule


def _of_layers(rule: Preprocess, model: Artifact) -> Preprocess:
    """What a Keras model's own first layers show; a model that cannot be read without Keras shows nothing."""
    from mobilenet_edge.model.fed import fed
    from mobilenet_edge.model.read import parse

    with suppress(BuildError):
        layers = parse(model.data, str(model.path)).rule
        return layers.frame(fed(layers, rule.shape))
    return rule


def _described(model: Artifact) -> Description | None:
    try:
        return description.read(model.data) if model.format == "tflite" else None
    except ValueError as error:
        raise InputError(f"{model.path} has TFLite metadata that cannot be read: {error}; write it again") from error


def _of_grid(rule: Preprocess, taken: ImageInput) -> Preprocess:
    """Recognise the usual pixels by the range of an integer input."""
    low, high = taken.limits()
    for named in pixels.NAMED.values():
        if len(named.scale) > rule.channels:
            continue
        usual = rule.with_pixels(*named.ordered(rule.colour), "grid")
        least, most = usual.range
        step = (most - least) / 255
        near = math.isclose(high - low, most - least, rel_tol=_NEAR) and abs(low - least) < _STEPS * step
        if near and named.colour in (None, rule.colour):
            return usual
        if near and named.colour is not None:
            return (
                replace(rule, colour=named.colour)
                .with_pixels(*named.ordered(named.colour), "grid")
                .known("grid", "colour")
            )
    return rule


def _require_room(rule: Preprocess, taken: ImageInput) -> None:
    """Refuse stated pixels that an integer input cannot hold, or of which it would see a few steps alone."""
    if not taken.scale:
        return
    low, high = taken.limits()
    values = prepare.scale(np.arange(256, dtype=np.uint8)[:, None].repeat(rule.channels, 1), rule)
    outside = float(np.mean((values < low - taken.scale) | (values > high + taken.scale)))
    least, most = rule.range
    if outside <= _OUTSIDE and most - least >= _USED * (high - low):
        return
    better = _of_grid(rule, taken)
    advice = f"give --pixels {pixels.name(better)}" if better is not rule else "leave out --pixels"
    raise InputError(
        f"{taken.model} takes {low:.4g} to {high:.4g} at its input, but pixels {pixels.name(rule)} are {least:.4g} to "
        f"{most:.4g}; {advice}"
    )
