"""Scaling, shifting and joining: layers and operations that are written as arithmetic."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from mobilenet_edge.graph import NO_PADDING, Op
from mobilenet_edge.model.read.applied import Applied, numbers
from mobilenet_edge.model.read.folding import Folding
from mobilenet_edge.model.read.unsupported import Unsupported
from mobilenet_edge.model.read.values import Affine, Array64, Pixels, Tensor, Value

ONE: Final = np.ones(())
ZERO: Final = np.zeros(())
# keras.backend.epsilon(), below which Normalization takes no deviation.
_LEAST: Final = 1e-7


def batch_norm(folding: Folding, call: Applied) -> Value:
    """Take up a BatchNormalization: y = (x - mean) * gamma / sqrt(var + eps) + beta."""
    value = call.value
    width, rank = _width(value)
    _check_axis(call, rank)
    scaled, centred = (bool(call.options.get(key, True)) for key in ("scale", "center"))
    arrays = iter(call.read([(width,)] * (2 + scaled + centred)))
    gamma = next(arrays) if scaled else np.ones(width)
    beta = next(arrays) if centred else np.zeros(width)
    mean, variance = arrays
    folding.remember(value, mean, variance)
    with np.errstate(all="ignore"):
        scale = gamma / np.sqrt(variance + float(call.options.get("epsilon", 1e-3)))
        shift = -mean * scale + beta
    return folding.affine(value, call.name, scale, shift, eager=True)


def rescaling(folding: Folding, call: Applied) -> Value:
    """Take up a Rescaling: x * scale + offset."""
    return folding.affine(
        call.value, call.name, numbers(call.options["scale"]), numbers(call.options.get("offset", 0.0))
    )


def normalization(folding: Folding, call: Applied) -> Value:
    """Take up a Normalization, of given or of adapted statistics."""
    width, rank = _width(call.value)
    if call.options.get("axis", -1) is not None:
        _check_axis(call, rank)
    if call.options.get("mean") is not None:
        mean, variance = numbers(call.options["mean"]), numbers(call.options["variance"])
    else:
        one = () if call.options.get("axis", -1) is None else (width,)
        mean, variance, *_ = call.read([one, one, ()])
    deviation = np.maximum(np.sqrt(variance), _LEAST)
    if call.options.get("invert"):
        return folding.affine(call.value, call.name, deviation, mean)
    return folding.affine(call.value, call.name, 1 / deviation, -mean / deviation)


def add(folding: Folding, call: Applied) -> Value:
    """Take up a sum of tensors, or of one and a constant."""
    if len(call.values) == 1 and len(call.operands) == 2:
        return folding.affine(call.value, call.name, ONE, _constant(call))
    return _join(folding, call, "add", [_settled(folding, each, call.name) for each in _tensors(folding, call)])


def subtract(folding: Folding, call: Applied) -> Value:
    """Take up a difference of a tensor and a constant."""
    scale, shift = (ONE, -_constant(call)) if _leads(call) else (-ONE, _constant(call))
    return folding.affine(call.value, call.name, scale, shift)


def multiply(folding: Folding, call: Applied) -> Value:
    """Take up a product of two tensors, or of one and a constant; x times its hard sigmoid is a hard swish."""
    if len(call.values) == 1 and len(call.operands) == 2:
        return folding.affine(call.value, call.name, _constant(call), ZERO)
    tensors = [_scaled(folding, each, call.name) for each in _tensors(folding, call)]
    if len(tensors) != 2:
        raise Unsupported(f"multiplies {len(tensors)} tensors; mnet takes two")
    # A scale of a factor is one of the product.
    scales = [each.affine.scale if each.affine else ONE for each in tensors]
    bare = [replace(each, affine=None) for each in tensors]
    made = _swish(folding, call.name, bare) or _join(folding, call, "multiply", bare)
    scale = scales[0] * scales[1]
    return replace(made, affine=Affine(scale, ZERO)) if np.any(scale != 1) else made


def divide(folding: Folding, call: Applied) -> Value:
    """Take up a quotient of a tensor and a constant."""
    if not _leads(call):
        raise Unsupported("divides by a tensor; mnet takes a constant there")
    return folding.affine(call.value, call.name, 1 / _constant(call), ZERO)


def negate(folding: Folding, call: Applied) -> Value:
    """Take up a change of sign."""
    return folding.affine(call.value, call.name, -ONE, ZERO)


def concatenate(folding: Folding, call: Applied) -> Value:
    """Join channels, of the picture's too."""
    values, axis = call.values, call.options.get("axis", -1)
    pictures = [each for each in values if isinstance(each, Pixels)]
    channels = [channel for each in pictures for channel in each.order]
    if len(pictures) == len(values) and len(set(channels)) == len(channels):
        return _picture(call.name, pictures)
    tensors = [_settled(folding, each, call.name) for each in _tensors(folding, call)]
    if axis not in (-1, len(tensors[0].shape)):
        raise Unsupported(f"joins along axis {axis}; mnet joins channels")
    if any(each.is_vector for each in tensors) or all(len(each.shape) == 1 for each in tensors):
        tensors = [folding.vector(each, f"{each.name}_pixel") for each in tensors]
    if len({each.held[:-1] for each in tensors}) != 1 or not all(each.is_vector or each.is_map for each in tensors):
        raise Unsupported(f"joins {[each.shape for each in tensors]}; mnet joins maps of one size", placed=True)
    width = sum(each.held[-1] for each in tensors)
    first = tensors[0]
    return folding.add(call.name, "concat", tensors, (*first.held[:-1], width), (*first.shape[:-1], width))


def stack(folding: Folding, call: Applied) -> Value:
    """Put single channels of the picture together again."""
    pictures = [each for each in call.values if isinstance(each, Pixels) and each.single]
    if len(pictures) != len(call.operands) or call.options.get("axis", 0) not in (-1, 3):
        raise Unsupported("stacks tensors; mnet takes channels of the picture along the last axis")
    return replace(_picture(call.name, pictures), single=False)


def _picture(name: str, parts: list[Pixels]) -> Pixels:
    """Join channels of one picture."""
    affine = [
        np.concatenate([np.broadcast_to(each.affine.parts[index], len(each.order)) for each in parts])
        for index in (0, 1)
    ]
    order = tuple(channel for each in parts for channel in each.order)
    return parts[0].through(name, order=order, affine=Affine(*affine))


def _swish(folding: Folding, name: str, factors: list[Tensor]) -> Tensor | None:
    for one, other in (factors, factors[::-1]):
        node = folding.nodes.get(other.name)
        if node is not None and node.op == "hard_sigmoid" and node.inputs == (one.name,) and one.shape == other.shape:
            return folding.add(name, "hard_swish", [one], one.held, one.shape)
    return None


def _join(folding: Folding, call: Applied, op: Op, tensors: list[Tensor]) -> Tensor:
    """Append nodes that join tensors of one shape, or a map and a vector, two at a time."""
    if len(tensors) < 2 or len(tensors) != len(call.operands):
        raise Unsupported(f"joins {len(tensors)} tensors and a constant; mnet joins tensors")
    made, *others = tensors
    for number, other in enumerate(others, 1):
        name = call.name if number == len(others) else f"{call.name}_{number}"
        made = _pair(folding, name, op, made, other)
    return made


def _pair(folding: Folding, name: str, op: Op, one: Tensor, other: Tensor) -> Tensor:
    if _size(one) < _size(other):
        one, other = other, one
    if other.shape == one.shape:
        if one.held != other.held:
            one, other = (folding.vector(each, f"{each.name}_pixel") for each in (one, other))
        return folding.add(name, op, [one, other], one.held, one.shape)
    if one.is_map and other.shape in ((1, 1, one.shape[-1]), one.shape[-1:]):
        other = folding.vector(other, f"{other.name}_pixel")
        return folding.add(name, op, [one, other], one.held, one.shape)
    raise Unsupported(f"joins {one.shape} and {other.shape}; mnet joins one shape, or a map and a vector", placed=True)


def _size(tensor: Tensor) -> int:
    return int(np.prod(tensor.shape))


def _tensors(folding: Folding, call: Applied) -> list[Tensor]:
    return [folding.tensor(each) for each in call.values]


def _settled(folding: Folding, tensor: Tensor, name: str) -> Tensor:
    return folding.settle(tensor, f"{name}_input")


def _scaled(folding: Folding, tensor: Tensor, name: str) -> Tensor:
    """Leave nothing but a scale pending."""
    pending = tensor.affine
    if tensor.padding == NO_PADDING and pending is not None and pending.scale.ndim == 0 and not pending.shift.any():
        return tensor
    return _settled(folding, tensor, name)


def _leads(call: Applied) -> bool:
    return isinstance(call.operands[0], Tensor | Pixels)


def _constant(call: Applied) -> Array64:
    (constant,) = (each for each in call.operands if not isinstance(each, Tensor | Pixels))
    return numbers(constant)


def _width(value: Value) -> tuple[int, int]:
    """Return the size of the last axis in Keras, and the number of axes without the batch."""
    return (len(value.order), 3) if isinstance(value, Pixels) else (value.shape[-1], len(value.shape))


def _check_axis(call: Applied, rank: int) -> None:
    axis: Any = call.options.get("axis", -1)
    axes = axis if isinstance(axis, list) else [axis]
    if axes not in ([-1], [rank]):
        raise Unsupported(f"normalises axis {axis}; mnet takes the channels")
