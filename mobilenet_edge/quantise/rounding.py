"""Integer weights that keep a layer's outputs, not its weights, as they were.

Rounding each weight to the nearest integer costs 15 points of agreement on weights that were trained in float. Here
the weights are first refitted to the inputs that the quantised network really gives (least squares), then rounded one
input at a time, in order of falling variance, each error being passed on to the inputs that are still to be rounded
(optimal brain quantisation in the form of GPTQ, arXiv:2210.17323, algorithm 1).

On x86 without VNNI the fast kernels add two products of uint8 and int8 in a saturating 16-bit sum (vpmaddubsw). The
two are neighbours 2i and 2i + 1 along a kernel's inputs. Here no such sum can overflow, whatever the activations:
a pair of one sign is kept within `MAX_PAIR`, and what that takes from one weight the others make good.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.quantise.moments import Wide

MAX_WEIGHT: Final = 127
# Largest sum of two weights of one sign that two activations of 255 cannot take beyond 16 bits.
MAX_PAIR: Final = 0x7FFF // 0xFF
_BLOCK: Final = 64


def damped(covariance: Wide, share: float) -> Wide:
    """Add a share of the variances to the diagonal; a matrix of zeros becomes a multiple of the identity.

    Args:
        covariance: (batch, K, K).
        share: Of which four fifths are of the input's own variance, which keeps inputs that hardly vary cheap.
    """
    own = np.diagonal(covariance, axis1=1, axis2=2)
    added = np.maximum(share * (0.8 * own + 0.2 * own.mean(axis=1, keepdims=True)), 1e-12)
    return np.asarray(covariance + np.eye(covariance.shape[1]) * added[:, :, None])


def refit(weight: Wide, covariance: Wide, cross: Wide, ridge: float) -> Wide:
    """Least squares towards the wanted outputs, held to the old weights by `ridge` times the variances.

    Args:
        weight: (batch, K, out).
        covariance: Of the inputs (batch, K, K).
        cross: Of inputs and wanted outputs (batch, K, out).
        ridge: As `share` of `damped`.
    """
    step = np.linalg.solve(damped(covariance, ridge), cross - covariance @ weight)
    return np.asarray(weight + step)


def full_range(weight: Wide, pairs: bool) -> Wide:
    """The scale (batch, out) at which the largest weight of each output, or its largest pair, uses all steps."""
    scale = np.abs(weight).max(axis=1) / MAX_WEIGHT
    if pairs and weight.shape[1] > 1:
        first, second = weight[:, 0:-1:2], weight[:, 1::2]
        together = np.where(first * second > 0, np.abs(first + second), 0.0)
        scale = np.maximum(scale, together.max(axis=1) / MAX_PAIR)
    return np.asarray(scale)


def integers(weight: Wide, covariance: Wide, scale: Wide, pairs: bool) -> Wide:
    """Round with error feedback.

    GPTQ updates all inputs that are still to be rounded after each one. Here each takes the errors of those before it
    when its turn comes, which gives the same integers from one Cholesky factor, without an inverse ("The geometry of
    LLM quantization: GPTQ as Babai's nearest plane algorithm", arXiv:2507.18553).

    Args:
        weight: (batch, K, out).
        covariance: Of the inputs, damped (batch, K, K).
        scale: (batch, out).
        pairs: Keep neighbours of one sign within `MAX_PAIR` together; for a batch of one.

    Returns:
        Integers from -127 to 127 as float64 (batch, K, out).
    """
    # The largest variance comes last, and is rounded first.
    order = np.argsort(-np.diagonal(covariance, axis1=1, axis2=2), axis=1, kind="stable")[:, ::-1]
    rows = (np.arange(len(order))[:, None], order)
    by_variance = np.take_along_axis(covariance[rows], order[:, None, :], 2)
    factor = np.linalg.cholesky(by_variance).transpose(0, 2, 1)
    # From here on in float32: an error of a few millionths of a step decides between two integers once in a million.
    feedback = np.asarray(factor / np.diagonal(factor, axis1=1, axis2=2)[:, :, None], np.float32, order="C")
    steps = np.asarray((weight / scale[:, None])[rows], np.float32)
    made, errors = np.zeros_like(steps), np.zeros_like(steps)
    neighbours = _rounded_neighbours(order) if pairs else {}
    # In blocks, so that most of the feedback is one matrix product.
    for stop in range(weight.shape[1], 0, -_BLOCK):
        start = max(0, stop - _BLOCK)
        block = steps[:, start:stop] + feedback[:, start:stop, stop:] @ errors[:, stop:]
        for row in range(stop - 1, start - 1, -1):
            later = slice(row + 1, stop)
            wanted = block[:, row - start] + (feedback[:, row, None, later] @ errors[:, later])[:, 0]
            low, high = _limits(made[:, neighbours[row]]) if row in neighbours else (-MAX_WEIGHT, MAX_WEIGHT)
            made[:, row] = np.minimum(np.maximum(np.rint(wanted), low), high)
            errors[:, row] = steps[:, row] - made[:, row]
    integers = np.empty(weight.shape)
    integers[rows] = made
    return integers


def _rounded_neighbours(order: NDArray[np.intp]) -> dict[int, int]:
    """Return the row of each row's neighbour where that is rounded first, for the orders (1, K) of one problem."""
    (places,) = order
    rows = {int(place): row for row, place in enumerate(places)}
    pairs = ((row, rows.get(place ^ 1, 0)) for place, row in rows.items())
    return {row: neighbour for row, neighbour in pairs if neighbour > row}


def within_pairs(integers: NDArray[Any]) -> NDArray[Any]:
    """Take from neighbours of one sign what they have beyond `MAX_PAIR` together, half from either.

    Args:
        integers: Whole numbers (..., out), whose other axes together are a kernel's inputs.
    """
    flat = integers.reshape(-1, integers.shape[-1]).copy()
    first, second = flat[0:-1:2], flat[1::2]
    beyond = np.where(first * second > 0, np.maximum(np.abs(first + second) - MAX_PAIR, 0), 0)
    sign = np.sign(first)
    first -= sign * np.ceil(beyond / 2)
    second -= sign * np.floor(beyond / 2)
    return flat.reshape(integers.shape)


def _limits(neighbour: NDArray[np.floating]) -> tuple[Any, Any]:
    """What a neighbour leaves."""
    return (
        np.maximum(-MAX_WEIGHT, -MAX_PAIR - np.minimum(neighbour, 0)),
        np.minimum(MAX_WEIGHT, MAX_PAIR - np.maximum(neighbour, 0)),
    )
