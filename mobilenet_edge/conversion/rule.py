"""Find out how pixels become a model's input before it is exported, and load calibration pictures accordingly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data import prepare
from mobilenet_edge.data.pixel_options import PixelOptions
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import BuildError, UsageError
from mobilenet_edge.formats.metadata import Metadata
from mobilenet_edge.graph import Array, Graph
from mobilenet_edge.model.fed import fed
from mobilenet_edge.model.infer import infer
from mobilenet_edge.model.read import Model
from mobilenet_edge.quantise import synthetic

# Pictures that a rule is inferred from.
_LOOKED_AT = 100


def of_model(model: Model, about: Metadata | None, options: PixelOptions) -> Preprocess:
    """Return the rule for the graph of a Keras model, as far as no picture is needed to know it.

    What is stated goes before the metadata, and is of the pixels that the model takes in front of its own layers.
    """
    given = options.apply(about.preprocess if about else fed(model.rule, model.graph.input_shape))
    rule = model.rule.onto(given)
    return rule.known("stated", "pixels") if given.of("pixels") == "stated" else rule


def load(folder: Path, rule: Preprocess, shape: tuple[int, ...], count: int) -> prepare.Pictures:
    """Load at most `count` pictures of a folder for a graph, their colours red, green, blue, or grey.

    Raises:
        InputError: There are none, or none that can be read.
        MissingExtraError: Pillow is not installed.
        UsageError: The graph takes no pictures.
    """
    if shape != rule.shape:
        raise UsageError(f"images cannot be made for an input of {shape}; mnet makes RGB and grey ones")
    return prepare.load_folder(folder, _in_file_order(rule), count)


def load_paths(paths: Sequence[Path], rule: Preprocess) -> prepare.Pictures:
    """Load pictures, their colours red, green, blue, or grey; raises as `load`."""
    return prepare.load(paths, _in_file_order(rule))


def _in_file_order(rule: Preprocess) -> Preprocess:
    return rule if rule.colour != "bgr" else replace(rule, colour="rgb")


def inferred(model: Model, pixels: NDArray[np.uint8], rule: Preprocess, *, force: bool) -> Preprocess:
    """Replace what is assumed of the pixels by what the model's first batch norm tells.

    Args:
        model: The model.
        pixels: As `load` gives them.
        rule: What is known.
        force: Whether a rule that the batch norm contradicts is kept.

    Raises:
        BuildError: It contradicts a rule that is not assumed.
    """
    norm = model.first_norm
    found = None if norm is None else infer(norm, pixels[:: max(1, len(pixels) // _LOOKED_AT)], rule)
    if found is None:
        return rule
    rule = found.apply(rule)
    objection = found.objection(rule)
    if objection is not None and not force:
        raise BuildError(
            f"the first batch norm of {model.name!r} was trained on other pixels: give {objection}, or keep them with "
            "--force"
        )
    return rule


def ordered(pixels: NDArray[np.uint8], rule: Preprocess) -> Array:
    """Scale pixels (n, height, width, channels) in the order red, green, blue, or grey, as a rule says."""
    return prepare.scale(pixels[..., ::-1] if rule.colour == "bgr" else pixels, rule)


def noise(count: int, graph: Graph, rule: Preprocess) -> Array:
    """Make noise in the range of a rule, where its channels are those of the graph, else in -1..1."""
    return _in_range(synthetic.images(count, graph.input_shape), graph, rule)


def leaves(count: int, graph: Graph, rule: Preprocess) -> Array:
    """Make dead leaves in the range of a rule, likewise."""
    return _in_range(synthetic.leaves(count, graph.input_shape), graph, rule)


def _in_range(made: Array, graph: Graph, rule: Preprocess) -> Array:
    return prepare.scale((made + 1) * np.float32(127.5), rule) if graph.input_shape[-1] == rule.channels else made
