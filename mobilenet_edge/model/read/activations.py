"""Activations, in every spelling: an attribute of the node before them, or a node of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from mobilenet_edge.graph import Activation, Op
from mobilenet_edge.model.read.applied import Applied, number, relu_name
from mobilenet_edge.model.read.folding import Folding
from mobilenet_edge.model.read.unsupported import Unsupported
from mobilenet_edge.model.read.values import Tensor, Value

_CLIPS: Final[dict[str, Activation]] = {"relu": "relu", "relu6": "relu6", "relu1": "relu1"}
_CURVES: Final[dict[str, Op]] = {
    "sigmoid": "sigmoid",
    "hard_sigmoid": "hard_sigmoid",
    "hard_swish": "hard_swish",
    "hard_silu": "hard_swish",
}
_KNOWN: Final = "relu, relu6, softmax, sigmoid, hard_sigmoid, hard_swish, silu and none"


def activate(folding: Folding, value: Value, activation: str, layer: str | None = None) -> Value:
    """Apply an activation by its name.

    Args:
        folding: The graph so far.
        value: What it is applied to.
        activation: As Keras names it.
        layer: Name of the layer; None where it is an attribute of the layer that made the tensor.

    Raises:
        Unsupported: The graph has no such activation, or a softmax is over a map.
    """
    if activation in ("linear", "identity"):
        return value
    tensor = folding.tensor(value)
    name = layer or f"{tensor.name}_{activation}"
    if activation in _CLIPS:
        return _clip(folding, tensor, _CLIPS[activation], name)
    if activation == "softmax":
        return _softmax(folding, tensor, name)
    if activation in ("silu", "swish"):
        return _silu(folding, tensor, name)
    if activation not in _CURVES:
        raise Unsupported(f"has the activation {activation!r}; mnet takes {_KNOWN}")
    if activation == "hard_sigmoid" and folding.version < (3, 0):
        # Keras 2 clips 0.2 x + 0.5, Keras 3 x / 6 + 0.5.
        scaled = folding.affine(tensor, f"{name}_slope", np.array(1.2), np.zeros(()))
        tensor = folding.tensor(scaled)
    return folding.unary(tensor, _CURVES[activation], name)


def _clip(folding: Folding, tensor: Tensor, activation: Activation, name: str) -> Tensor:
    pending = tensor.affine
    if activation == "relu6" and pending is not None and pending.is_scalar(1.0, 3.0):
        return replace(tensor, affine=None, gate=True)
    return folding.settle(tensor, name, activation)


def _softmax(folding: Folding, tensor: Tensor, name: str) -> Tensor:
    if tensor.shape[-1] != tensor.held[-1] or any(side != 1 for side in tensor.held[:-1]):
        raise Unsupported(f"is a softmax over a map of {tensor.shape}; pool or flatten it first", placed=True)
    tensor = folding.vector(tensor, f"{tensor.name}_pixel")
    return folding.add(name, "softmax", [tensor], tensor.held, tensor.shape)


def _silu(folding: Folding, tensor: Tensor, name: str) -> Tensor:
    tensor = replace(folding.settle(tensor, f"{name}_input"), shared=True)
    gate = folding.unary(tensor, "sigmoid", f"{name}_sigmoid")
    return folding.add(name, "multiply", [tensor, gate], tensor.held, tensor.shape)


def layer(folding: Folding, call: Applied) -> Value:
    """Take up an Activation layer."""
    return activate(folding, call.value, call.activation(), call.name)


def relu(folding: Folding, call: Applied) -> Value:
    """Take up a ReLU layer."""
    return activate(folding, call.value, relu_name(call.options), call.name)


def softmax(folding: Folding, call: Applied) -> Value:
    """Take up a Softmax, which must be over the last axis."""
    value, axis = call.value, call.options.get("axis", -1)
    if isinstance(axis, list):
        (axis,) = axis
    if axis not in (None, -1) and axis != len(folding.tensor(value).shape):
        raise Unsupported(f"is a softmax over axis {axis}; mnet takes it over the classes")
    return activate(folding, value, "softmax", call.name)


def clip(folding: Folding, call: Applied) -> Value:
    """Take up clipping to 0 and 6, or to 0 and 1."""
    ends = [
        _end(call, *names)
        for names in (("x_min", "clip_value_min", "min_value"), ("x_max", "clip_value_max", "max_value"))
    ]
    activation = {(0.0, 6.0): "relu6", (0.0, 1.0): "relu1"}.get((ends[0], ends[1]))
    if activation is None:
        raise Unsupported(f"clips to {ends[0]} and {ends[1]}; mnet takes 0 and 6, or 0 and 1")
    return activate(folding, call.value, activation, call.name)


def _end(call: Applied, *names: str) -> Any:
    return next((number(call.options[name]) for name in names if call.options.get(name) is not None), None)


def named(activation: str) -> Any:
    """Return the handler of an operation that is one activation."""
    return lambda folding, call: activate(folding, call.value, activation, call.name)
