"""Inputs to time a model with: seeded noise over the whole range of each input."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mobilenet_edge.device.faults import InvalidModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mobilenet_edge.device.runtimes import Tensor

DESCRIPTION = "seeded noise over the full range of the input ([-1, 1] for float), rotated"


def noise(tensors: Sequence[Tensor], *, seed: int, count: int) -> list[list[NDArray[Any]]]:
    """Make `count` sets of inputs.

    Pixels are 8-bit noise, as raw as an image gets: the whole range of int8 and uint8; scaled to [-1, 1] for floats;
    0..255 for wider integers. The standard library's generator is used because importing numpy's takes longer than the
    rest of the worker's preparation.

    Args:
        tensors: The model's inputs, of fixed shapes.
        seed: The same seed gives the same values on every machine.
        count: How many sets.

    Raises:
        InvalidModel: An input is of an element type that no image has.
    """
    generator = random.Random(seed)  # noqa: S311 - pixels, not secrets
    return [[_fill(tensor, generator) for tensor in tensors] for _ in range(count)]


def _fill(tensor: Tensor, generator: random.Random) -> NDArray[Any]:
    dtype = np.dtype(tensor.dtype)
    size = math.prod(tensor.shape)
    pixels = np.frombuffer(generator.getrandbits(8 * size).to_bytes(size, "little"), np.uint8).reshape(tensor.shape)
    if dtype == np.int8:
        return pixels.view(np.int8)
    if dtype.kind == "f":
        return (pixels / 127.5 - 1).astype(dtype)
    if dtype.kind in "iu":
        return pixels.astype(dtype)
    raise InvalidModel(f"input {tensor.name!r} is of type {tensor.dtype}, not a number an image could be given as")
