"""The folded graph: a DAG of a few ops with batch norm already in the weights.

Everything after Keras reads it: both quantisers, both writers, and the float reference they are compared with.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, assert_never

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Op = Literal[
    "conv", "depthwise", "dense", "add", "multiply", "concat", "mean", "max", "average_pool", "max_pool",
    "sigmoid", "hard_sigmoid", "hard_swish", "softmax",
]  # fmt: skip
Activation = Literal["linear", "relu", "relu6", "relu1"]
Padding = tuple[tuple[int, int], tuple[int, int]]

NO_PADDING: Final[Padding] = ((0, 0), (0, 0))
WEIGHTED: Final = ("conv", "depthwise", "dense")
# Ops that may bear an activation; behind any other op it is an `affine` node of its own.
ACTIVATED: Final = (*WEIGHTED, "add", "multiply")
# Ops that turn logits into probabilities.
CLOSING: Final = ("softmax", "sigmoid")


@dataclass(frozen=True, eq=False)
class Node:
    """One operation and the tensor it makes, which bears the same name.

    Attributes:
        name: Of the Keras layer it came from.
        op: "mean" and "max" reduce height and width; "add" and "multiply" take two inputs of one shape, or a map
            (h, w, c) and a vector (c,) that is applied to each of its pixels; "concat" joins channels; a "depthwise"
            of 1x1 scales a vector as well.
        inputs: Names of the tensors it reads.
        shape: Of its output without the batch: (height, width, channels) or (channels,).
        weight: float32; conv (kh, kw, in, out), depthwise (kh, kw, channels), dense (in, out), else None.
        bias: float32 (out,), None where there is no weight.
        stride: Of both axes.
        padding: Zeros around the input of a convolution: ((top, bottom), (left, right)); of a pool, places that are
            left out of its maximum or mean.
        activation: Applied to the output; only of `ACTIVATED` ops.
        window: Height and width of a pool.

    Raises:
        ValueError: An op bears an activation that may not.
    """

    name: str
    op: Op
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    weight: Array | None = None
    bias: Array | None = None
    stride: int = 1
    padding: Padding = NO_PADDING
    activation: Activation = "linear"
    window: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        if self.activation != "linear" and self.op not in ACTIVATED:
            raise ValueError(f"{self.name} ({self.op}) cannot bear an activation")

    @property
    def kernel(self) -> Array:
        """The weight of a node that must have one."""
        if self.weight is None:
            raise ValueError(f"{self.name} ({self.op}) has no weight")
        return self.weight

    @property
    def offset(self) -> Array:
        """The bias of a node that must have one."""
        if self.bias is None:
            raise ValueError(f"{self.name} ({self.op}) has no bias")
        return self.bias

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference; only weighted ops count, as in the paper."""
        if self.weight is None:
            return 0
        return math.prod(self.shape[:-1]) * self.weight.size

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum(each.size for each in (self.weight, self.bias) if each is not None)


@dataclass(frozen=True, eq=False)
class Graph:
    """A model of one input and one output.

    Attributes:
        name: Of the variant, as files are named.
        input: Name of the input tensor, float32.
        input_shape: (height, width, channels).
        nodes: In an order in which every input comes before its reader; the last one makes the output.
    """

    name: str
    input: str
    input_shape: tuple[int, int, int]
    nodes: tuple[Node, ...]

    def __getitem__(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @property
    def output(self) -> Node:
        """The node whose tensor is the model's output."""
        return self.nodes[-1]

    @property
    def logits(self) -> str:
        """Name of the tensor that the closing softmax or sigmoid reads, or of the output where there is none."""
        return self.output.inputs[0] if self.output.op in CLOSING else self.output.name

    @property
    def classes(self) -> int:
        """Number of outputs of a classifier, 0 for a model that ends in a feature map."""
        return self.output.shape[0] if len(self.output.shape) == 1 else 0

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(node.macs for node in self.nodes)

    @property
    def parameters(self) -> int:
        """Weights and biases, batch norm folded in."""
        return sum(node.parameters for node in self.nodes)

    def shape(self, tensor: str) -> tuple[int, ...]:
        """Shape of a tensor without the batch."""
        return self.input_shape if tensor == self.input else self[tensor].shape

    def weighted(self) -> Iterator[Node]:
        """Nodes that have weights, in order."""
        return (node for node in self.nodes if node.weight is not None)

    def replace(self, nodes: dict[str, Node]) -> Graph:
        """Return the same graph with some nodes exchanged by name."""
        return replace(self, nodes=tuple(nodes.get(node.name, node) for node in self.nodes))

    def cut_at_logits(self) -> Graph:
        """Return the same graph without a closing softmax or sigmoid."""
        return replace(self, nodes=self.nodes[:-1]) if self.output.op in CLOSING else self

    def readers(self, tensor: str) -> list[Node]:
        """Nodes that read a tensor, in order."""
        return [node for node in self.nodes if tensor in node.inputs]

    def sha256(self) -> str:
        """Digest of all weights and biases, as hex."""
        digest = hashlib.sha256()
        for node in self.weighted():
            digest.update(node.name.encode())
            digest.update(node.kernel.tobytes())
            digest.update(node.offset.tobytes())
        return digest.hexdigest()


def bounds(activation: Activation) -> tuple[float, float]:
    """Return the least and the greatest value that an activation lets through."""
    match activation:
        case "linear":
            return -math.inf, math.inf
        case "relu":
            return 0, math.inf
        case "relu6":
            return 0, 6
        case "relu1":
            return 0, 1
        case _:
            assert_never(activation)


def affine(
    name: str, source: str, shape: tuple[int, ...], scale: Array, shift: Array, activation: Activation = "linear"
) -> Node:
    """Make a node that scales and shifts each channel: a depthwise layer of 1x1.

    Args:
        name: Of the node.
        source: Name of the tensor it reads.
        shape: Of that tensor, a map (h, w, c) or a vector (c,).
        scale: float32, broadcast to (c,).
        shift: float32, broadcast to (c,).
        activation: Applied to the result.
    """
    scales, shifts = (np.broadcast_to(each, shape[-1:]).astype(np.float32) for each in (scale, shift))
    return Node(name, "depthwise", (source,), shape, scales[None, None], shifts, activation=activation)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after, as TensorFlow's 'same' places them: the odd one goes after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2
