"""A Keras model: its architecture as JSON and its arrays, from a file of any generation or from memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import archive
from mobilenet_edge.model import hdf5

_LARGEST: Final = 16 << 20


@dataclass(frozen=True)
class Source:
    """An open Keras file, or a model in memory.

    Attributes:
        config: The architecture: `{"class_name": ..., "config": ...}`.
        version: Of the Keras that wrote it, (major, minor); (2, 0) where it does not say.
        arrays: What holds the arrays: a group of an HDF5 file, or the keras.Model.
        layout: How they lie there: by numbers (`.keras`), by names (`.h5`), or in the layers of the model.
    """

    config: Mapping[str, Any]
    version: tuple[int, int]
    arrays: Any
    layout: Literal["numbers", "names", "layers"]


@contextmanager
def opened(data: bytes, name: str) -> Iterator[Source]:
    """Open a `.keras` or a whole-model `.h5` file by its bytes; `name` is for messages.

    Raises:
        InputError: It is damaged, no Keras file, or holds weights without an architecture.
        MissingExtraError: h5py is not installed.
    """
    opener = _open_legacy if data.startswith(hdf5.SIGNATURE) else _open_zip
    with opener(data, name) as source:
        yield source


@contextmanager
def _open_legacy(data: bytes, name: str) -> Iterator[Source]:
    with hdf5.opened(data, name) as file:
        text = _text(file.attrs.get("model_config", ""))
        if not text or "model_weights" not in file:
            raise InputError(
                f"{name} holds weights only; give the whole model, as model.save() writes it, or, for a MobileNet v1, "
                f"use mnet build --weights {name}"
            )
        version = _text(file.attrs.get("keras_version", ""))
        yield Source(_parsed(text, name), _version(version), file["model_weights"], layout="names")


@contextmanager
def _open_zip(data: bytes, name: str) -> Iterator[Source]:
    try:
        config = archive.read(data, "config.json", _LARGEST)
        about = archive.read(data, "metadata.json")
    except ValueError as error:
        raise InputError(f"{name} is not a whole .keras model: {error}; save or copy it again") from error
    if config is None:
        raise InputError(f"{name} is not a whole .keras model: it holds no config.json; save or copy it again")
    version = _version(str(_parsed(about or "{}", name).get("keras_version", "3")))
    with hdf5.opened(hdf5.inside(data, name), f"{name} ({hdf5.MEMBER})") as file:
        yield Source(_parsed(config, name), version, file, layout="numbers")


def of_model(model: Any) -> Source:
    """Take a keras.Model as a source; only Keras 2 says in a description which it is.

    Raises:
        ValueError: It is a subclass of keras.Model that does not describe itself.
    """
    try:
        config = json.loads(model.to_json())
    except NotImplementedError as error:
        raise ValueError(f"it is a subclass of keras.Model ({type(model).__name__})") from error
    return Source(config, _version(config.get("keras_version", "3")), model, layout="layers")


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is damaged: its architecture is not JSON ({error}); save it again") from error
    if not isinstance(document, dict):
        raise InputError(f"{name} is damaged: its architecture is not a JSON object; save it again")
    return document


def _version(text: str) -> tuple[int, int]:
    major, minor = re.match(r"(\d*)\.?(\d*)", text).groups()  # type: ignore[union-attr]
    return int(major or 2), int(minor or 0)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
