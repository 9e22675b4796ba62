"""A Keras file: a zip with the architecture in `config.json`, or HDF5 with it as an attribute. Nothing of it is run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import archive
from mobilenet_edge.formats.contents import Contents, Operator
from mobilenet_edge.formats.metadata import MEMBER, Metadata

# The largest architecture of keras.applications has less than a tenth of it.
_LARGEST_CONFIG: Final = 16 << 20
# What passes values on; a linear activation does, too.
_CARRIERS: Final = frozenset(("Activation", "Dropout", "Flatten", "Identity", "Reshape"))
_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_PARTS: Final = {"config.json": "graph", "model.weights.h5": "weights", MEMBER: "metadata"}


def contents(data: bytes) -> Contents:
    """List the layers of the architecture and the size of the file's parts.

    Raises:
        ValueError: The file is not whole, or no Keras model.
        MissingExtraError: It is HDF5, and h5py is not installed.
    """
    if data.startswith(_HDF5):
        return _legacy(data)
    sizes = archive.sizes(data)
    if sizes is None:
        raise ValueError("it is not a zip")
    config = archive.read(data, "config.json", _LARGEST_CONFIG)
    if config is None or "model.weights.h5" not in sizes:
        raise ValueError("it holds no config.json or no model.weights.h5")
    layers = _operators(config)
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
    config = _config(data)
    for layer in reversed(list(_configs(json.loads(config))) if config else []):
        activation = layer["config"].get("activation")
        if activation and activation != "linear":
            return str(activation if isinstance(activation, str) else "custom")
        if layer["class_name"] == "Softmax":
            return "softmax"
        if layer["class_name"] not in _CARRIERS:
            return str(layer["class_name"])
    return ""


def _legacy(data: bytes) -> Contents:
    """List the layers of a whole-model `.h5` file; all but the architecture counts as weights."""
    config = _config(data)
    if not config:
        raise ValueError("it holds no model_config: weights without a model")
    sections = {"graph": len(config), "weights": len(data) - len(config)}
    return Contents({}, _operators(config), (), (), sections)


def _config(data: bytes) -> str | bytes | None:
    if not data.startswith(_HDF5):
        return archive.read(data, "config.json", _LARGEST_CONFIG)
    from mobilenet_edge.model import hdf5

    try:
        with hdf5.opened(data, "its HDF5") as file:
            config: str | bytes | None = file.attrs.get("model_config")
    except InputError as error:
        raise ValueError(str(error)) from error
    return config


def _operators(config: str | bytes) -> tuple[Operator, ...]:
    try:
        layers = _configs(json.loads(config))
        return tuple(Operator(str(each["class_name"]), (), (str(each["config"].get("name", "")),)) for each in layers)
    except (TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"it has no Keras architecture: {error}") from error


def _configs(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the layers of a model and of the models in it, in order."""
    inside = config["config"]
    # Keras 2.0 wrote the layers of a Sequential as a bare list.
    for layer in inside if isinstance(inside, list) else inside.get("layers", []):
        if isinstance(layer["config"], list) or "layers" in layer["config"]:
            yield from _configs(layer)
        else:
            yield layer
