"""The graph while it is put together: nodes in float64, and what is folded into them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from mobilenet_edge.graph import ACTIVATED, NO_PADDING, WEIGHTED, Activation, Graph, Node, Op, affine
from mobilenet_edge.model.norm import Norm
from mobilenet_edge.model.read.unsupported import Unsupported
from mobilenet_edge.model.read.values import Affine, Array64, Pixels, Shape, Tensor, Value

IMAGE: Final = "image"
Reader = Callable[[Sequence[Shape]], list[Array64]]
# 1 / 6 as people write it, in float32 too.
_SIXTH: Final = 1e-6


@dataclass
class Folding:
    """The nodes so far, in order; `version` is of the Keras that wrote the model.

    Weights stay float64 until `finish`, so that whatever is folded into them is rounded once.
    """

    version: tuple[int, int]
    nodes: dict[str, Node] = field(default_factory=dict)
    norms: list[Norm] = field(default_factory=list)
    picture: Pixels | None = None

    def unique(self, name: str) -> str:
        """Return the name, with a number behind it where another node has it."""
        names = (name, *(f"{name}_{number}" for number in range(1, len(self.nodes) + 2)))
        return next(each for each in names if each not in self.nodes and each != IMAGE)

    def add(self, name: str, op: Op, sources: Sequence[Tensor], held: Shape, shape: Shape, **more: Any) -> Tensor:
        """Append a node that reads tensors with nothing pending; return its tensor."""
        node = Node(self.unique(name), op, tuple(each.name for each in sources), held, **more)
        self.nodes[node.name] = node
        return Tensor(node.name, held, shape)

    def tensor(self, value: Value) -> Tensor:
        """Take a value as a tensor: the picture becomes the graph's input, as it is by then."""
        if isinstance(value, Tensor):
            return self.ungate(value)
        if value.single or value.size is None:
            raise Unsupported("comes to a picture of no fixed size; give the Input height and width", placed=True)
        if self.picture is None:
            self.picture = value
        elif not _same(self.picture, value):
            raise Unsupported("reads the picture otherwise scaled than another layer", placed=True)
        shape = (*value.size, len(value.order))
        return Tensor(IMAGE, shape, shape, shared=True, doubtful=value.doubtful)

    def affine(self, value: Value, layer: str, scale: Array64, shift: Array64, *, eager: bool = False) -> Value:
        """Scale and shift by scalars or by one number for each element of the last axis in Keras.

        Args:
            value: What is scaled.
            layer: Name of the layer that does it.
            scale: float64, of one element or as many as the last axis.
            shift: Likewise.
            eager: Fold it into the node before at once, where that can be.
        """
        if isinstance(value, Pixels):
            return value.through(layer, affine=value.affine.then(_flat(scale), _flat(shift)))
        if value.gate and scale.size == 1 and abs(float(scale.reshape(())) * 6 - 1) < _SIXTH and not shift.any():
            return self.unary(replace(value, gate=False), "hard_sigmoid", layer)
        value = self.ungate(value)
        if value.padding != NO_PADDING:
            value = self.settle(value, layer)
        parts = [_spread(each, value) for each in (scale, shift)]
        pending = (value.affine or Affine(np.ones(()), np.zeros(()))).then(*parts)
        changed = replace(value, affine=pending)
        return self.absorb(changed) or changed if eager else changed

    def remember(self, value: Value, mean: Array64, variance: Array64) -> None:
        """Keep the statistics of a batch norm that reads a convolution directly, before anything is folded into it."""
        if isinstance(value, Tensor) and value.affine is None and self._is_open(value, WEIGHTED):
            self.norms.append(Norm(self.nodes[value.name], mean, variance))

    def absorb(self, tensor: Tensor) -> Tensor | None:
        """Fold what is pending into the node before; None where it has other readers or no weights."""
        node, pending = self.nodes.get(tensor.name), tensor.affine
        if node is None or pending is None or not pending.per_channel or not self._is_open(tensor, WEIGHTED):
            return None
        # Broken statistics are not warned of here but refused by `finish`.
        with np.errstate(all="ignore"):
            weight, bias = node.kernel * pending.scale, node.offset * pending.scale + pending.shift
        self.nodes[node.name] = replace(node, **_weights(weight, bias))
        return replace(tensor, affine=None)

    def _is_open(self, tensor: Tensor, ops: Sequence[str]) -> bool:
        node = self.nodes.get(tensor.name)
        return node is not None and not tensor.shared and node.op in ops and node.activation == "linear"

    def settle(self, tensor: Tensor, layer: str, activation: Activation = "linear", *, pads: bool = True) -> Tensor:
        """Leave nothing pending: fold it into the node before, or add a node of its own.

        Args:
            tensor: The tensor.
            layer: Name of a new node.
            activation: To apply as well; zeros then stay pending, since they come through it unchanged.
            pads: Whether zeros are to be settled, too.
        """
        tensor = self.ungate(tensor)
        padding, clipped = tensor.padding, activation != "linear"
        tensor = self.absorb(tensor) or tensor
        if activation != "linear" and tensor.affine is None and self._is_open(tensor, ACTIVATED):
            self.nodes[tensor.name] = replace(self.nodes[tensor.name], activation=activation)
            activation = "linear"
        zeros = NO_PADDING if clipped or not pads else padding
        if tensor.affine is None and activation == "linear" and zeros == NO_PADDING:
            return tensor
        pending = tensor.affine or Affine(np.ones(()), np.zeros(()))
        if not pending.per_channel:
            raise Unsupported("follows a scale of each element that no dense layer takes up", placed=True)
        name = self.unique(layer)
        node = affine(name, tensor.name, tensor.held, np.ones(1, np.float32), np.zeros(1, np.float32), activation)
        weight, bias = (np.broadcast_to(each, tensor.held[-1:]) for each in (pending.scale, pending.shift))
        held = tensor.padded if zeros != NO_PADDING else tensor.held
        if zeros != NO_PADDING and bias.any():
            # Zeros come behind the shift.
            inner = self.settle(replace(tensor, padding=NO_PADDING, shape=tensor.held), layer)
            return self.settle(replace(inner, padding=padding, shape=tensor.shape), layer)
        self.nodes[name] = replace(node, shape=held, padding=zeros, **_weights(weight[None, None], bias))
        return Tensor(
            name, held, tensor.shape, padding=NO_PADDING if zeros != NO_PADDING else padding, doubtful=tensor.doubtful
        )

    def ungate(self, tensor: Tensor) -> Tensor:
        """Make relu6(x + 3) six times a hard sigmoid where it turned out to be no part of one."""
        if not tensor.gate:
            return tensor
        made = self.unary(replace(tensor, gate=False), "hard_sigmoid", f"{tensor.name}_gate")
        return replace(made, affine=Affine(np.array(6.0), np.zeros(())))

    def unary(self, tensor: Tensor, op: Op, name: str) -> Tensor:
        """Append a node that changes each element."""
        tensor = self.settle(tensor, name)
        return replace(self.add(name, op, [tensor], tensor.held, tensor.shape), doubtful=tensor.doubtful)

    def vector(self, tensor: Tensor, name: str) -> Tensor:
        """Take a tensor of one pixel as a vector."""
        tensor = self.settle(tensor, name)
        if tensor.is_vector:
            return tensor
        if tensor.held[:2] != (1, 1):
            raise Unsupported(f"takes a vector, and gets a map of {tensor.held}; pool or flatten it first", placed=True)
        return self.add(name, "mean", [tensor], tensor.held[2:], tensor.shape)

    def finish(self, name: str, output: Value, layer: str) -> Graph:
        """Close the graph with its output.

        Raises:
            Unsupported: The output is no tensor of the graph's, or weights are not finite.
        """
        tensor = self.settle(self.tensor(output), layer)
        if len(tensor.shape) == 1 and tensor.held[:-1] == (1, 1):
            tensor = self.vector(tensor, layer)
        if tensor.name == IMAGE or self.picture is None or self.picture.size is None:
            raise Unsupported("gives back the picture; the model computes nothing")
        if not tensor.is_vector and not tensor.is_map:
            raise Unsupported(f"ends the model with a map of {tensor.held} reshaped to {tensor.shape}; leave it a map")
        shape = (*self.picture.size, len(self.picture.order))
        return Graph(name, IMAGE, shape, tuple(_rounded(node) for node in _needed(self.nodes, tensor.name)))


def _weights(weight: Array64, bias: Array64) -> dict[str, Any]:
    """What `replace` takes; nodes hold float64 until the graph is finished."""
    return {"weight": weight, "bias": bias}


def _needed(nodes: dict[str, Node], output: str) -> list[Node]:
    """Leave out what the output does not depend on."""
    needed = {output}
    for node in reversed(nodes.values()):
        if node.name in needed:
            needed.update(node.inputs)
    return [node for node in nodes.values() if node.name in needed]


def _rounded(node: Node) -> Node:
    if node.weight is None:
        return node
    with np.errstate(all="ignore"):
        weight, bias = (np.ascontiguousarray(each, np.float32) for each in (node.kernel, node.offset))
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise Unsupported(f"has weights in layer {node.name!r} that are NaN or infinite; train or load it again")
    return replace(node, weight=weight, bias=bias)


def _flat(array: Array64) -> Array64:
    return array.reshape(-1) if array.size > 1 else array.reshape(())


def _spread(array: Array64, tensor: Tensor) -> Array64:
    """Lay out numbers for Keras's last axis along the axes of the graph's tensor."""
    flat, channels = _flat(array), tensor.held[-1]
    if flat.ndim == 0 or (flat.size == channels and tensor.shape[-1] == channels):
        return flat
    if tensor.shape == (flat.size,) and flat.size == math.prod(tensor.held):
        return flat.reshape(tensor.held)
    raise Unsupported(f"scales {tensor.shape} by {array.shape}, which is not one number a channel", placed=True)


def _same(one: Pixels, other: Pixels) -> bool:
    return (one.order, one.size) == (other.order, other.size) and all(
        np.array_equal(np.broadcast_to(a, len(one.order)), np.broadcast_to(b, len(one.order)))
        for a, b in ((one.affine.scale, other.affine.scale), (one.affine.shift, other.affine.shift))
    )
