"""The grid of each tensor, from the range of its float values and the grids of what it is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

from mobilenet_edge.graph import Graph, Node, bounds
from mobilenet_edge.quantise import SOFTMAX_GRID, UNIT_GRID, QuantParams

# Below it a hard swish or a hard sigmoid is zero.
_HARD_ZERO: Final = -3.0
# Below it a sigmoid is less than half a step of its grid.
_SIGMOID_ZERO: Final = -6.24


def choose(node: Node, low: float, high: float, sources: Sequence[QuantParams]) -> QuantParams:
    """Return the grid of a node's output.

    Args:
        node: The node.
        low: Least value it needs to hold.
        high: Greatest value.
        sources: Grids of its inputs.
    """
    match node.op:
        case "conv" | "depthwise" | "dense" | "add" | "multiply" | "mean" | "hard_swish":
            return QuantParams.from_range(low, high)
        case "max" | "average_pool" | "max_pool":
            # TFLite's kernels for these do not rescale.
            return sources[0]
        case "concat":
            return _around(sources)
        case "hard_sigmoid":
            return UNIT_GRID
        case "sigmoid" | "softmax":
            return SOFTMAX_GRID
        case _:
            assert_never(node.op)


def limits(graph: Graph, node: Node, low: float, high: float) -> tuple[float, float]:
    """Clip a range of values before the activation to what the activation and all readers of the tensor can tell."""
    least, most = bounds(node.activation)
    zeros = [_zero(reader) for reader in graph.readers(node.name)]
    if zeros and node is not graph.output:
        least = max(least, min(zeros))
    return min(max(low, least), most), max(min(high, most), least)


def _zero(reader: Node) -> float:
    """Return the value below which a reader's output is zero on its grid."""
    if reader.op in ("hard_swish", "hard_sigmoid"):
        return _HARD_ZERO
    return _SIGMOID_ZERO if reader.op == "sigmoid" else float("-inf")


def _around(sources: Sequence[QuantParams]) -> QuantParams:
    """Return the grid that holds all values of some others; one of them where it does."""
    low, high = min(each.low for each in sources), max(each.high for each in sources)
    return next((each for each in sources if (each.low, each.high) == (low, high)), QuantParams.from_range(low, high))
