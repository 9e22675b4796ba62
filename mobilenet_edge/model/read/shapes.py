"""Layers that move elements or leave them: reshaping, padding, and what works in training only."""

from __future__ import annotations

import math
from dataclasses import replace

from mobilenet_edge.graph import NO_PADDING
from mobilenet_edge.model.read.applied import Applied
from mobilenet_edge.model.read.folding import Folding
from mobilenet_edge.model.read.unsupported import Unsupported
from mobilenet_edge.model.read.values import Pixels, Shape, Tensor, Value


def nothing(folding: Folding, call: Applied) -> Value:
    """Pass through: the layer does nothing outside training."""
    return call.value


def cast(folding: Folding, call: Applied) -> Value:
    """Pass through a change to a floating-point type; one to integers would round."""
    dtype = call.options.get("dtype", "float32")
    name = dtype.get("config", {}).get("name", "") if isinstance(dtype, dict) else str(dtype)
    if "float" not in name:
        raise Unsupported(f"rounds to {name}; mnet takes floating-point types")
    return call.value


def flatten(folding: Folding, call: Applied) -> Value:
    """Take up a Flatten."""
    tensor = folding.tensor(call.value)
    return _view(folding, call, tensor, (math.prod(tensor.shape),))


def reshape(folding: Folding, call: Applied) -> Value:
    """Take up a Reshape, or the operation, which names the batch too."""
    tensor = folding.tensor(call.value)
    wanted = call.options.get("target_shape")
    if wanted is None:
        wanted = (call.options.get("newshape") or call.options.get("shape") or call.operands[1])[1:]
    known = [int(side) for side in wanted if side not in (-1, None)]
    size = math.prod(tensor.shape)
    return _view(
        folding,
        call,
        tensor,
        tuple(size // max(math.prod(known), 1) if side in (-1, None) else int(side) for side in wanted),
    )


def _view(folding: Folding, call: Applied, tensor: Tensor, shape: Shape) -> Tensor:
    if math.prod(shape) != math.prod(tensor.shape):
        raise Unsupported(f"reshapes {tensor.shape} to {shape}", placed=True)
    if tensor.padding != NO_PADDING:
        tensor = folding.settle(tensor, f"{call.name}_padding")
    if shape == tensor.held[-1:] and not tensor.is_vector:
        tensor = folding.vector(tensor, call.name)
    return replace(tensor, shape=shape)


def pad(folding: Folding, call: Applied) -> Value:
    """Take up a ZeroPadding2D."""
    tensor, padding = folding.tensor(call.value), call.options.get("padding", 1)
    if not tensor.is_map:
        raise Unsupported(f"pads {tensor.shape}, which is no map", placed=True)
    rows, columns = (padding, padding) if isinstance(padding, int) else padding
    added = [(side, side) if isinstance(side, int) else tuple(side) for side in (rows, columns)]
    (top, bottom), (left, right) = (
        (before + more[0], after + more[1]) for (before, after), more in zip(tensor.padding, added, strict=True)
    )
    padded = replace(tensor, padding=((top, bottom), (left, right)))
    return replace(padded, shape=padded.padded)


def entry(folding: Folding, call: Applied) -> Value:
    """Pass the input of a nested model through."""
    return call.value


def image_only(value: Value) -> Pixels:
    """Take a value as the picture before any layer that computes.

    Raises:
        Unsupported: It is a tensor by then.
    """
    if not isinstance(value, Pixels):
        raise Unsupported("comes behind layers that compute; mnet takes it at the head of a model only", placed=True)
    return value
