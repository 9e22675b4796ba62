"""Read a Keras model, and collect what is known of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from mobilenet_edge.conversion import rule as rules
from mobilenet_edge.data import prepare
from mobilenet_edge.data.pixel_options import NOTHING, PixelOptions
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import BuildError, UsageError
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.metadata import Metadata, Weights
from mobilenet_edge.graph import Graph
from mobilenet_edge.model.fed import fed
from mobilenet_edge.model.oracle import check_keras
from mobilenet_edge.model.read import Model

# Keras errs by 1.3e-5 of its largest output in float32, and the graph by as much; a wrong fold by 1e-2 or more.
KERAS_TOLERANCE: Final = 1e-4
_NOISE_IMAGES: Final = 4


def read_model(source: Artifact, options: PixelOptions = NOTHING) -> tuple[Model, Metadata]:
    """Read a Keras file; one that says nothing of itself gets what its graph shows.

    Raises:
        BuildError: The graph cannot hold a layer, or its input has not 1 or 3 channels.
        InputError: The file is damaged, or a layer needs code that is not Keras's own.
        UsageError: It is no Keras file.
    """
    if source.format != "keras":
        raise UsageError(f"{source.path} is not a .keras or .h5 file; mnet exports Keras models")
    from mobilenet_edge.model import read
    from mobilenet_edge.model.recognise import safe_name

    model = read.parse(source.data, str(source.path))
    _require_picture(model, str(source.path))
    if source.metadata is None:
        about = describe(model.graph, source.path.stem, source.path.name)
    else:
        weights = replace(source.metadata.weights, sha256=model.graph.sha256())
        # The files are named by it.
        about = replace(source.metadata, variant=safe_name(source.metadata.variant), weights=weights)
    return model, replace(about, preprocess=rules.of_model(model, source.metadata, options))


def hold_model(keras: Any, options: PixelOptions = NOTHING) -> tuple[Model, Metadata]:
    """Read a keras.Model that is in memory.

    Raises:
        BuildError: The graph cannot hold a layer, or its input has not 1 or 3 channels.
    """
    from mobilenet_edge.model import read

    model = read.held(keras)
    _require_picture(model, model.name)
    about = describe(model.graph, model.name, model.name)
    return model, replace(about, preprocess=rules.of_model(model, None, options))


def _require_picture(model: Model, name: str) -> None:
    if model.graph.input_shape[-1] not in (1, 3):
        raise BuildError(
            f"{name} cannot be exported: it takes an input of {model.graph.input_shape}; mnet takes pictures of "
            "1 or 3 channels"
        )


def describe(graph: Graph, name: str, source: str) -> Metadata:
    """Describe a model that mnet did not build; its files are named as its own file is, whatever it turns out to be."""
    from mobilenet_edge.model.recognise import safe_name, spec_of

    spec = spec_of(graph)
    return Metadata(
        variant=safe_name(name),
        precision="float32",
        classes=graph.classes,
        macs=graph.macs,
        parameters=graph.parameters,
        preprocess=Preprocess.for_input(*graph.input_shape),
        weights=Weights(source, sha256=graph.sha256()),
        spec=spec,
    )


def compare_with_keras(source: Artifact, model: Model) -> None:
    """Compare the graph of a model with what Keras computes from its file, on noise.

    Raises:
        BuildError: They differ by more than rounding.
        InputError: Keras cannot load the file, or takes pictures of another size.
        MissingExtraError: TensorFlow is not installed.
    """
    shape = model.graph.input_shape
    pixels = np.random.default_rng(0).integers(0, 256, (_NOISE_IMAGES, *shape), np.uint8)
    difference = check_keras(source.path, model, prepare.scale(pixels, fed(model.rule, shape)))
    if not difference <= KERAS_TOLERANCE:
        raise BuildError(
            f"{source.path} differs from what Keras computes by {difference:.2g} of the largest output; please report "
            "this as a bug"
        )
