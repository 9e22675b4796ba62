"""A .keras file: a zip with the architecture in `config.json`. Nothing of it is run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from mobilenet_edge.formats import archive
from mobilenet_edge.formats.contents import Contents, Operator
from mobilenet_edge.formats.metadata import MEMBER, Metadata

# The largest architecture of keras.applications has less than a tenth of it.
_LARGEST_CONFIG: Final = 16 << 20
# What passes values on; a linear activation does, too.
_CARRIERS: Final = frozenset(("Activation", "Dropout", "Flatten", "Identity", "Reshape"))
_PARTS: Final = {"config.json": "graph", "model.weights.h5": "weights", MEMBER: "metadata"}


def contents(data: bytes) -> Contents:
    """List the layers of the architecture and the size of the file's parts."""
    sizes = archive.sizes(data)
    if sizes is None:
        raise ValueError("it is not a zip")
    config = archive.read(data, "config.json", _LARGEST_CONFIG)
    if config is None or "model.weights.h5" not in sizes:
        raise ValueError("it holds no config.json or no model.weights.h5")
    try:
        layers = tuple(Operator(kind, (), (name,)) for kind, name in _layers(json.loads(config)))
    except (TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"its config.json is not a Keras architecture: {error}") from error
    sections = {part: sizes[name] for name, part in _PARTS.items() if name in sizes}
    sections["other"] = len(data) - sum(sections.values())
    return Contents({}, layers, (), (), sections)


def metadata(data: bytes) -> str | None:
    """The metadata that `mnet build` put in."""
    return archive.read(data)


def embed(data: bytes, about: Metadata) -> bytes:
    """Add the metadata as a member; Keras passes over it."""
    return archive.append(data, {MEMBER: about.to_json()})


def closing(data: bytes) -> str:
    """Name what a model's outputs went through last: an activation such as "sigmoid", or a layer's class."""
    config = archive.read(data, "config.json", _LARGEST_CONFIG)
    layers = list(_configs(json.loads(config))) if config else []
    for layer in reversed(layers):
        activation = layer["config"].get("activation")
        if activation and activation != "linear":
            return str(activation if isinstance(activation, str) else "custom")
        if layer["class_name"] == "Softmax":
            return "softmax"
        if layer["class_name"] not in _CARRIERS:
            return str(layer["class_name"])
    return ""


def _layers(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for layer in _configs(config):
        yield str(layer["class_name"]), str(layer["config"].get("name", ""))


def _configs(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the layers of a model and of the models in it, in order."""
    for layer in config["config"].get("layers", []):
        if "layers" in layer.get("config", {}):
            yield from _configs(layer)
        else:
            yield layer
