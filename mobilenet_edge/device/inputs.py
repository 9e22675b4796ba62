"""Create inputs for timing: seeded noise over the whole range of each input, or real images from a file."""

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
    """Create sets of random inputs.

    The values are 8-bit noise: the whole range of int8 and uint8, scaled to [-1, 1] for floats, 0..255 for wider
    integers. They come from the standard library's generator, because importing numpy's takes longer than the rest of
    the worker's preparation.

    Args:
        tensors: The model's inputs, with fixed shapes.
        seed: Seed of the generator; the values are the same on every machine.
        count: Number of sets.

    Returns:
        For each set, one array per input, of its shape and dtype.

    Raises:
        InvalidModel: An input has an element type that no image has.
    """
    generator = random.Random(seed)  # noqa: S311 - pixels, not secrets
    return [[_fill(tensor, generator) for tensor in tensors] for _ in range(count)]


def images(path: Path, tensors: Sequence[TensorInfo]) -> NDArray[Any]:
    """Read prepared images into memory, so that no page of the file is read during a timed run.

    Args:
        path: An .npy file.
        tensors: The model's inputs, of which there must be one.

    Returns:
        An array (count, *shape of the input) of the input's dtype.

    Raises:
        RequestError: The model has several inputs, or the file is missing, is not an array, or does not fit.
    """
    if len(tensors) != 1:
        raise RequestError(f"images need a model with one input, and this has {len(tensors)}; measure it with noise")
    try:
        # `np.load` would also accept archives and pickles.
        array = np.lib.format.open_memmap(path, mode="r")
        _check(path, array, tensors[0])
        return np.array(array, order="C")
    except OSError as error:
        raise RequestError(f"{path.name} cannot be read: {error.strerror or first_line(error)}") from error
    except ValueError as error:
        raise RequestError(
            f"{path.name} is not an .npy file of images ({first_line(error)}); write it again"
        ) from error


def rotate(sets: Sequence[Sequence[NDArray[Any]]]) -> Callable[[], Sequence[NDArray[Any]]]:
    """Return a function that returns the next set of inputs, starting again after the last."""
    return itertools.cycle(sets).__next__


def rotate_images(stack: NDArray[Any]) -> Callable[[], Sequence[NDArray[Any]]]:
    """Return a function that returns the next image, starting again after the last.

    Each image is copied to one buffer and is then in the cache, as in an application that has just scaled it. Otherwise
    onnxruntime, which reads inputs in place, would also wait for main memory.
    """
    buffer, order = np.empty_like(stack[0]), itertools.cycle(range(len(stack)))

    def next_image() -> list[NDArray[Any]]:
        np.copyto(buffer, stack[next(order)])
        return [buffer]

    return next_image


def describe(stack: NDArray[Any] | None) -> str:
    """Describe the inputs of a measurement in words.

    Args:
        stack: Images (count, *shape of the input), None for noise.
    """
    if stack is None:
        return NOISE
    return f"{len(stack)} real images, rotated" if len(stack) > 1 else "1 real image, again and again"


def _check(path: Path, array: NDArray[Any], tensor: TensorInfo) -> None:
    if array.dtype != tensor.dtype or array.shape[1:] != tensor.shape or not array.size:
        raise RequestError(
            f"{path.name} holds {array.dtype} of shape {array.shape}, but the model takes {tensor.dtype} of shape "
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
    raise InvalidModel(f"input {tensor.name!r} has type {tensor.dtype}, which no image has; give a model for images")
