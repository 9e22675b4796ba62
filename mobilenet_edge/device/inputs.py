"""Inputs to time a model with: seeded noise over the whole range of each input, or real images from a file."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobilenet_edge.device.faults import InvalidModel, RequestError, first_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mobilenet_edge.device.runtimes import TensorInfo

NOISE = "seeded noise over the full range of the input ([-1, 1] for float), rotated"


def noise(tensors: Sequence[TensorInfo], *, seed: int, count: int) -> list[list[NDArray[Any]]]:
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


def images(path: Path, tensors: Sequence[TensorInfo]) -> NDArray[Any]:
    """Read prepared images, (count, *shape of the input), of the input's own element type.

    They are checked before they are read and lie in memory afterwards: a page of the file that is fetched during a run
    would be timed as the model's.

    Args:
        path: An .npy file.
        tensors: The model's inputs, of which there must be one.

    Raises:
        RequestError: The model has more inputs than one, or the file is missing, not an array, or does not fit.
    """
    if len(tensors) != 1:
        raise RequestError(f"images feed a model of one input, and this has {len(tensors)}; measure it with noise")
    try:
        # Not `np.load`, which would open archives and, in the hope of a pickle, anything else.
        found = np.lib.format.open_memmap(path, mode="r")
        _check(path, found, tensors[0])
        return np.array(found, order="C")
    except OSError as error:
        raise RequestError(f"{path.name} cannot be read: {error.strerror or first_line(error)}") from error
    except ValueError as error:
        raise RequestError(f"{path.name} is not an .npy file of images ({first_line(error)}); write it anew") from error


def rotate(sets: Sequence[Sequence[NDArray[Any]]]) -> Callable[[], Sequence[NDArray[Any]]]:
    """Return a function that gives the next set of inputs at each call, the first after the last."""
    return itertools.cycle(sets).__next__


def rotate_images(stack: NDArray[Any]) -> Callable[[], Sequence[NDArray[Any]]]:
    """Return a function that gives the next image at each call, the first after the last.

    It is copied to one place, which is in the cache then, as it is in an application that has just scaled an image;
    onnxruntime reads its inputs where they are, and would wait for the memory of hundreds of others.
    """
    place, turns = np.empty_like(stack[0]), itertools.cycle(range(len(stack)))

    def next_image() -> list[NDArray[Any]]:
        np.copyto(place, stack[next(turns)])
        return [place]

    return next_image


def describe(stack: NDArray[Any] | None) -> str:
    """Say in words what a model was fed, None standing for noise."""
    if stack is None:
        return NOISE
    return f"{len(stack)} real images, rotated" if len(stack) > 1 else "1 real image, again and again"


def _check(path: Path, found: NDArray[Any], tensor: TensorInfo) -> None:
    if found.dtype != tensor.dtype or found.shape[1:] != tensor.shape or not found.size:
        raise RequestError(
            f"{path.name} holds {found.dtype} of shape {found.shape}, and the model takes {tensor.dtype} of "
            f"(count, {', '.join(str(side) for side in tensor.shape)}); prepare the images for this model"
        )


def _fill(tensor: TensorInfo, generator: random.Random) -> NDArray[Any]:
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
