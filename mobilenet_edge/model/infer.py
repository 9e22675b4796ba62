"""Infer how pixels were scaled in training from the first batch norm of a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data.pixels import NAMED
from mobilenet_edge.data.preprocess import Colour, Preprocess
from mobilenet_edge.graph.run import taps
from mobilenet_edge.model.norm import Norm, Wide

# Places of the first convolution that are looked at, over all pictures.
_PLACES: Final = 50_000


@dataclass(frozen=True)
class Candidate:
    """A usual rule, and how unlike training the pictures are under it.

    Attributes:
        pixels: A key of `pixels.NAMED`.
        colour: Order of channels.
        mean: Divergence in nats, mean over live channels.
        median: Likewise, the median.
    """

    pixels: str
    colour: Colour
    mean: float
    median: float


def rank(norm: Norm, pixels: NDArray[np.uint8]) -> list[Candidate]:
    """Rank the usual rules by how alike pictures and training are under each, the likest first.

    The convolution is linear, so the mean and covariance of the patches that it sees give its outputs under every rule.

    Args:
        norm: Of the convolution that reads the image.
        pixels: (n, height, width, channels) uint8, red, green, blue or grey.
    """
    mean, covariance = _patches(norm, pixels)
    found = []
    for name, rule in _usual(pixels.shape[-1]):
        weight = _weight(norm, rule)
        variance = np.einsum("io,ij,jo->o", weight, covariance, weight)
        divergence = norm.divergence(mean @ weight + norm.node.offset, variance)
        found.append(Candidate(name, rule.colour, float(divergence.mean()), float(np.median(divergence))))
    return sorted(found, key=lambda each: each.median)


def _usual(channels: int) -> Iterator[tuple[str, Preprocess]]:
    for name, pixels in NAMED.items():
        if len(pixels.scale) > channels:
            continue
        for colour in ("grey",) if channels == 1 else ("rgb", "bgr"):
            scale, offset = pixels.ordered(cast("Colour", colour))
            yield name, Preprocess(colour=cast("Colour", colour), scale=scale, offset=offset)


def _patches(norm: Norm, pixels: NDArray[np.uint8]) -> tuple[Wide, Wide]:
    """Mean and covariance of what the kernel sees, (places of the kernel * (channels + 1),): pixels, and whether the
    place is inside the picture."""
    node = replace(norm.node, shape=_shape(norm, pixels))
    x = np.concatenate([pixels, np.ones_like(pixels[..., :1])], axis=-1)
    places = len(pixels) * node.shape[0] * node.shape[1]
    seen = taps(node, x, max(2, places // _PLACES)).transpose(1, 0, 2)
    rows = seen.reshape(len(seen), -1).astype(np.float64)
    mean = rows.mean(axis=0)
    rows -= mean
    return mean, rows.T @ rows / len(rows)


def _shape(norm: Norm, pixels: NDArray[np.uint8]) -> tuple[int, ...]:
    node = norm.node
    sides = (
        (side + sum(padding) - kernel) // node.stride + 1
        for side, padding, kernel in zip(pixels.shape[1:3], node.padding, node.kernel.shape[:2], strict=True)
    )
    return (*sides, node.kernel.shape[-1])


def _weight(norm: Norm, rule: Preprocess) -> Wide:
    """The kernel on raw patches: (places of the kernel * (channels + 1), out)."""
    kernel = norm.node.kernel.astype(np.float64)
    scaled = kernel * np.array(rule.scale)[:, None]
    if rule.colour == "bgr":
        scaled = scaled[:, :, ::-1]
    constant = np.einsum("hwco,c->hwo", kernel, np.array(rule.offset))[:, :, None]
    return np.concatenate([scaled, constant], axis=2).reshape(-1, kernel.shape[-1])
