"""The 16-bit sums of x86's vpmaddubsw: which weights may overflow them, and what comes out when they do.

onnxruntime's kernels for uint8 activations and int8 weights multiply with it on AVX2 and on AVX-512 without VNNI: two
neighbours along K are multiplied and added in 16 bits, and a sum that does not fit is cut off (Intel's manual,
"PMADDUBSW"); only then are the sums added in 32 bits. K runs over (height, width, input channel) of a kernel.
docs/quantisation.md tells which kernels do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.graph import Array
from mobilenet_edge.graph.run import compute, patches
from mobilenet_edge.quantise import LOW, QuantisedGraph
from mobilenet_edge.quantise.rounding import MAX_PAIR

_INT16: Final = np.iinfo(np.int16)
# Sums looked at together: 16 MB of them.
_TOGETHER: Final = 1 << 22

Activations = NDArray[np.uint8]
Integers = NDArray[np.int8]


@dataclass(frozen=True)
class HeadRoom:
    """What is left before a 16-bit sum overflows, whatever the activations.

    Attributes:
        pairs: Pairs of neighbouring weights.
        largest: The largest sum of the weights of one sign in a pair, as a magnitude: 255 times it is the worst sum.
        over: Pairs for which it is above `MAX_PAIR`.
    """

    pairs: int
    largest: int
    over: int


def head_room(weights: Integers) -> HeadRoom:
    """Look at each pair of a layer's weights, int8 (K, out)."""
    worst = _worst(_paired(weights, 0))
    return HeadRoom(worst.size, int(worst.max(initial=0)), int((worst > MAX_PAIR).sum()))


def accumulate(activations: Activations, weights: Integers) -> NDArray[np.int32]:
    """Multiply matrices as the instruction does, cut-off sums included.

    Args:
        activations: (rows, K), zero point included, as they lie in memory.
        weights: (K, out).

    Returns:
        (rows, out).
    """
    total = np.zeros((len(activations), weights.shape[1]), np.int32)
    for inputs, pair in zip(_paired(activations, 1).swapaxes(0, 1), _paired(weights, 0), strict=True):
        total += np.clip(inputs @ pair, _INT16.min, _INT16.max)
    return total


def cut_off(activations: Activations, weights: Integers) -> int:
    """Count the sums that do not fit 16 bits, of the rows * ceil(K / 2) * out that `accumulate` adds.

    Args:
        activations: (rows, K).
        weights: (K, out).
    """
    weight, inputs = _paired(weights, 0), _paired(activations, 1)
    # No other pair can overflow.
    place, output = np.nonzero(_worst(weight) > MAX_PAIR)
    pairs = weight[place, :, output]
    found = 0
    for some in np.array_split(np.arange(len(place)), -(-inputs.shape[0] * len(place) // _TOGETHER) or 1):
        sums = np.einsum("rpi,pi->rp", inputs[:, place[some]], pairs[some])
        found += int(((sums < _INT16.min) | (sums > _INT16.max)).sum())
    return found


def count(made: QuantisedGraph, images: Array, step: int = 1) -> dict[str, int]:
    """Run images through an integer network and count the sums that vpmaddubsw would cut off.

    Args:
        made: The integers; activations are taken as uint8, 128 above the int8 grid.
        images: Preprocessed, float32 (n, h, w, c).
        step: Look at every `step`-th output place.

    Returns:
        By name of the layer; depthwise layers are left out, their kernels do without the instruction.
    """
    found = {}
    for name, inputs in _inputs(made, images):
        node, grid = made.graph[name], made.grids[made.graph[name].inputs[0]]
        # Padding is zero in steps from the zero point, and the zero point in memory.
        steps = patches(node, np.rint(inputs / np.float32(grid.scale)), step)
        memory = np.asarray(steps + (grid.zero_point - LOW), np.uint8)
        integers = made.weights[name].integers
        found[name] = cut_off(memory, integers.reshape(-1, integers.shape[-1]))
    return found


def _inputs(made: QuantisedGraph, images: Array) -> Iterator[tuple[str, Array]]:
    """Name and input of each layer that multiplies matrices."""
    graph = made.logits().dequantised()
    last = {name: node.name for node in graph.nodes for name in node.inputs}
    alive = {graph.input: made.grids[graph.input].round(images)}
    for node in graph.nodes:
        if node.op in ("conv", "dense"):
            yield node.name, alive[node.inputs[0]]
        alive[node.name] = made.grids[node.name].round(compute(node, [alive[name] for name in node.inputs]))
        for name in set(node.inputs):
            if last[name] == node.name:
                del alive[name]


def _paired(values: Activations | Integers, axis: int) -> NDArray[np.int32]:
    """Split an axis K into (ceil(K / 2), 2); where K is odd, the last value's neighbour is zero."""
    before, size, after = values.shape[:axis], values.shape[axis], values.shape[axis + 1 :]
    widths = [(0, 0)] * values.ndim
    widths[axis] = (0, size % 2)
    return np.pad(values, widths).astype(np.int32).reshape(*before, (size + 1) // 2, 2, *after)


def _worst(pairs: NDArray[np.int32]) -> NDArray[np.int32]:
    """Of pairs (n, 2, out) the larger of what the positive weights and the negative ones add up to, as magnitudes."""
    return np.asarray(np.maximum(np.maximum(pairs, 0).sum(1), -np.minimum(pairs, 0).sum(1)), np.int32)
