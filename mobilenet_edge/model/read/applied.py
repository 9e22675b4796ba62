"""A layer as a handler gets it: its options, its operands and its arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mobilenet_edge.model.read.architecture import Layer
from mobilenet_edge.model.read.folding import Reader
from mobilenet_edge.model.read.unsupported import Unsupported, check_origin
from mobilenet_edge.model.read.values import Array64, Pixels, Tensor, Value

# Names of the second operand among the keyword arguments of TensorFlow's functions and Keras's operations.
_SECOND = ("y", "x2", "bias")


@dataclass(frozen=True, eq=False)
class Applied:
    """One call of a layer.

    Attributes:
        layer: The layer.
        operands: Tensors, pictures and constants, in order.
        options: The layer's configuration, and over it the keyword arguments of the call.
        read: Reads the layer's arrays, given their shapes.
    """

    layer: Layer
    operands: tuple[Any, ...]
    options: Mapping[str, Any]
    read: Reader

    @property
    def name(self) -> str:
        """Name of the layer."""
        return self.layer.name

    @property
    def value(self) -> Value:
        """The only tensor or picture among the operands."""
        values = self.values
        if len(values) != 1:
            raise Unsupported(f"takes {len(values)} tensors; mnet takes it with one")
        return values[0]

    @property
    def values(self) -> list[Value]:
        """The tensors and pictures among the operands."""
        return [each for each in self.operands if isinstance(each, Tensor | Pixels)]

    def pair(self, key: str, default: Any = 1) -> tuple[int, int]:
        """Read an option that is one number or one for height and one for width."""
        value = self.options.get(key, default)
        rows, columns = (value, value) if isinstance(value, int) else value
        return int(rows), int(columns)

    def stride(self) -> int:
        """Read the stride, which must be one number."""
        rows, columns = self.pair("strides")
        if rows != columns:
            raise Unsupported(f"has uneven strides {(rows, columns)}")
        return rows

    def padded(self) -> bool:
        """Read whether the padding is 'same'."""
        padding = self.options.get("padding", "valid")
        if padding not in ("same", "valid"):
            raise Unsupported(f"has the padding {padding!r}; mnet takes 'same' and 'valid'")
        return bool(padding == "same")

    def activation(self) -> str:
        """Read the name of the activation, "linear" where there is none."""
        return activation_name(self.options.get("activation"))


Handler = Callable[[Any, Applied], Value]


def operands(arguments: tuple[Any, ...], options: Mapping[str, Any]) -> tuple[Any, ...]:
    """Lay out positional arguments and the second operand of arithmetic, lists of tensors one by one."""
    found: list[Any] = []
    for argument in (*arguments, *(options[key] for key in _SECOND if key in options)):
        if isinstance(argument, list) and any(isinstance(each, Tensor | Pixels) for each in argument):
            found += argument
        elif argument is not None:
            found.append(argument)
    return tuple(found)


def activation_name(value: Any) -> str:
    """Read an activation: a name, or an object of Keras's own with its configuration.

    Raises:
        Unsupported: It is not Keras's own, or no plain function.
    """
    if value is None:
        return "linear"
    if isinstance(value, str):
        package, _, name = value.rpartition(">")
        check_origin(name, "", value if package else "")
        return name
    kind, config = str(value["class_name"]), value.get("config")
    registered = str(value.get("registered_name") or "")
    if kind == "function" and isinstance(config, str):
        check_origin(config, str(value.get("module") or ""), registered if ">" in registered else "")
        return config
    check_origin(kind, str(value.get("module") or ""), registered)
    if kind == "ReLU" and isinstance(config, dict):
        return relu_name(config)
    return kind


def relu_name(config: Mapping[str, Any]) -> str:
    """Read which ReLU a layer is.

    Raises:
        Unsupported: It leaks, has a threshold or another ceiling.
    """
    ceiling, slope, threshold = (number(config.get(key)) for key in ("max_value", "negative_slope", "threshold"))
    if slope or threshold or ceiling not in (None, 1.0, 6.0):
        raise Unsupported(f"is neither ReLU nor ReLU6 (max_value {ceiling}, slope {slope}, threshold {threshold})")
    return "relu" if ceiling is None else f"relu{ceiling:.0f}"


def number(value: Any) -> float | None:
    """Read a number that Keras 2 may have written as an array of one."""
    if isinstance(value, dict):
        value = value["config"]["value"]
    return None if value is None else float(np.asarray(value, np.float64).reshape(()))


def numbers(value: Any) -> Array64:
    """Read one number or a list of them."""
    if isinstance(value, dict):
        value = value["config"]["value"]
    array = np.asarray(value, np.float64)
    if array.ndim > 1 and array.size not in (1, array.shape[-1]):
        raise Unsupported(f"takes a constant of shape {array.shape}, not one number a channel")
    return array
