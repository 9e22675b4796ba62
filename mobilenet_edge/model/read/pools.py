"""Pooling, over windows and over the whole map."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mobilenet_edge.graph import NO_PADDING, Op, Padding, same_padding
from mobilenet_edge.model.read.applied import Applied
from mobilenet_edge.model.read.folding import Folding
from mobilenet_edge.model.read.unsupported import Unsupported
from mobilenet_edge.model.read.values import Tensor, Value


def average(folding: Folding, call: Applied) -> Value:
    """Take up an AveragePooling2D."""
    return _pool(folding, call, "average_pool", "mean")


def maximum(folding: Folding, call: Applied) -> Value:
    """Take up a MaxPooling2D."""
    return _pool(folding, call, "max_pool", "max")


def global_average(folding: Folding, call: Applied) -> Value:
    """Take up a GlobalAveragePooling2D."""
    return _whole(folding, call, "mean", keep=bool(call.options.get("keepdims")))


def global_maximum(folding: Folding, call: Applied) -> Value:
    """Take up a GlobalMaxPooling2D."""
    return _whole(folding, call, "max", keep=bool(call.options.get("keepdims")))


def mean(folding: Folding, call: Applied) -> Value:
    """Take up a mean over height and width that is written as an operation."""
    axes: Any = call.options.get("axis")
    if not isinstance(axes, list) or sorted(axis % 4 for axis in axes) != [1, 2]:
        raise Unsupported(f"is a mean over axis {axes}; mnet takes it over height and width")
    return _whole(folding, call, "mean", keep=bool(call.options.get("keepdims")))


def _whole(folding: Folding, call: Applied, op: Op, *, keep: bool) -> Tensor:
    source = _source(folding, call, op)
    width = source.held[-1]
    shape = (1, 1, width) if keep else (width,)
    if source.is_vector:
        return replace(source, shape=shape)
    made = folding.add(call.name, op, [source], (width,), shape)
    # A mean of scaled values is the scaled mean.
    return replace(made, affine=source.affine)


def _pool(folding: Folding, call: Applied, op: Op, whole: Op) -> Tensor:
    source, window, same = _source(folding, call, op), call.pair("pool_size", 2), call.padded()
    strides = call.pair("strides") if call.options.get("strides") is not None else window
    sides = source.shape[:2]
    if window == sides and not same:
        return _whole(folding, call, whole, keep=True)
    if source.is_vector:
        raise Unsupported("pools a pooled pixel once more", placed=True)
    if strides[0] != strides[1]:
        raise Unsupported(f"has uneven strides {strides}")
    stride = strides[0]
    rows, columns = (
        same_padding(side, size, stride) if same else (0, 0) for side, size in zip(sides, window, strict=True)
    )
    padding: Padding = (rows, columns)
    sizes = [(side + sum(more) - size) // stride + 1 for side, more, size in zip(sides, padding, window, strict=True)]
    if min(sizes) < 1:
        raise Unsupported(f"has a window of {window}, larger than its input of {sides}", placed=True)
    shape = (*sizes, source.held[-1])
    made = folding.add(call.name, op, [source], shape, shape, stride=stride, padding=padding, window=window)
    return replace(made, affine=source.affine)


def _source(folding: Folding, call: Applied, op: Op) -> Tensor:
    """Take the map that is pooled; a scale goes through a mean, not through a maximum."""
    tensor = folding.tensor(call.value)
    scaled = tensor.affine is not None and not (op in ("mean", "average_pool") and tensor.affine.per_channel)
    if scaled or tensor.padding != NO_PADDING:
        tensor = folding.settle(tensor, f"{call.name}_input")
    if len(tensor.shape) != 3 or not (tensor.is_map or tensor.is_vector):
        raise Unsupported(f"takes a map, and gets {tensor.shape}", placed=True)
    return tensor
