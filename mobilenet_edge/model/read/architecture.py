"""The description of a Keras model: one plain form for the configurations of Keras 2 and Keras 3.

Only names, numbers and lists are read; no object of the file is ever made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

# Nested models deeper than any that people build.
DEEPEST: Final = 20
MODELS: Final = ("Functional", "Model", "Sequential")
_INPUT: Final = "InputLayer"
# How Keras 2 marks a constant in the place of a tensor.
_CONSTANT: Final = "_CONSTANT_VALUE"


@dataclass(frozen=True)
class Reference:
    """A tensor: the layer that makes it, which of the layer's calls, and which of the call's outputs."""

    layer: str
    call: int = 0
    output: int = 0


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer or an operation of a model.

    Attributes:
        kind: Class name; of a TensorFlow function in a model of Keras 2, the function's name.
        name: Unique within its model only.
        config: Its options.
        origin: Module and registered name of the class, as far as the file tells.
        model: What is inside, where it is a model itself.
    """

    kind: str
    name: str
    config: Mapping[str, Any]
    origin: tuple[str, str] = ("", "")
    model: Description | None = None


@dataclass(frozen=True, eq=False)
class Call:
    """A layer applied to `arguments`: references, constants, and lists of either."""

    layer: Layer
    arguments: tuple[Any, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    def references(self) -> Iterator[Reference]:
        """Yield the tensors it reads, as often as it reads them."""
        yield from _references([*self.arguments, *self.options.values()])


@dataclass(frozen=True, eq=False)
class Description:
    """A functional or sequential model.

    Attributes:
        name: As the user gave it.
        layers: In the order in which Keras stores their arrays.
        calls: By layer name and number of the call.
        inputs: In order.
        outputs: In order.
    """

    name: str
    layers: tuple[Layer, ...]
    calls: Mapping[tuple[str, int], Call]
    inputs: tuple[Reference, ...]
    outputs: tuple[Reference, ...]


def describe(config: Mapping[str, Any], depth: int = 0) -> Description:
    """Describe a model by its configuration: `{"class_name": ..., "config": ...}`.

    Raises:
        ValueError: It is no functional or sequential model; the message says what it is.
        KeyError, TypeError, IndexError: It is not as Keras writes it.
    """
    if depth > DEEPEST:
        raise ValueError("models are nested too deeply")
    inside = config["config"]
    # Keras 2.0 and 2.1 wrote the layers of a Sequential without a name around them.
    if isinstance(inside, list):
        inside = {"name": "sequential", "layers": inside}
    if "layers" not in inside or not _is_model(config):
        raise ValueError(
            f"it is a subclass of keras.Model ({config['class_name']}), not a functional or Sequential one"
        )
    layers = tuple(_layer(each, depth) for each in inside["layers"])
    if config["class_name"] == "Sequential" or "input_layers" not in inside:
        return _sequential(inside, layers)
    calls: dict[tuple[str, int], Call] = {}
    names = {layer.name for layer in layers}
    for layer, entry in zip(layers, inside["layers"], strict=True):
        for number, node in enumerate(entry["inbound_nodes"]):
            calls[layer.name, number] = _call(layer, node, names)
        calls.setdefault((layer.name, 0), Call(layer, ()))
    inputs, outputs = (tuple(_ends(inside[key])) for key in ("input_layers", "output_layers"))
    calls, outputs = _renumber(calls, outputs)
    return Description(str(inside["name"]), layers, calls, inputs, outputs)


def _is_model(config: Mapping[str, Any]) -> bool:
    return str(config["class_name"]) in MODELS


def _layer(entry: Mapping[str, Any], depth: int) -> Layer:
    kind, config = str(entry["class_name"]), entry["config"]
    origin = (str(entry.get("module") or ""), str(entry.get("registered_name") or ""))
    if _is_model(entry):
        model = describe(entry, depth + 1)
        return Layer(
            kind, str(entry.get("name") or model.name), config if isinstance(config, dict) else {}, origin, model
        )
    if kind in ("TFOpLambda", "SlicingOpLambda"):
        kind = f"tf.{config['function']}"
    return Layer(kind, str(config["name"]), config, origin)


def _sequential(inside: Mapping[str, Any], layers: tuple[Layer, ...]) -> Description:
    """Chain the layers, behind an input of the file's or, where it has none, of our own."""
    if layers[0].kind != _INPUT:
        first = layers[0].config
        shape = first.get("batch_input_shape") or first.get("batch_shape") or inside.get("build_input_shape")
        layers = (Layer(_INPUT, f"{layers[0].name}_input", {"batch_shape": shape}), *layers)
    calls = {(layers[0].name, 0): Call(layers[0], ())}
    for before, layer in pairwise(layers):
        calls[layer.name, 0] = Call(layer, (Reference(before.name),))
    if len(calls) != len(layers):
        raise ValueError("it is a Sequential with two layers of one name")
    ends = (Reference(layers[0].name),), (Reference(layers[-1].name),)
    return Description(str(inside.get("name", "sequential")), layers, calls, *ends)


def _call(layer: Layer, node: Any, names: set[str]) -> Call:
    if isinstance(node, dict):  # Keras 3
        arguments = tuple(constant(each) for each in node["args"])
        return Call(layer, arguments, {key: constant(value) for key, value in node["kwargs"].items()})
    entries = [node] if isinstance(node[0], str) else node
    tensors = [
        each[2] if each[0] == _CONSTANT else Reference(str(each[0]), int(each[1]), int(each[2])) for each in entries
    ]
    given = entries[0][3] if len(entries[0]) > 3 else {}
    options = {key: _option(value, names) for key, value in given.items()}
    return Call(layer, (tensors[0] if len(tensors) == 1 else tensors,), options)


def _option(value: Any, names: set[str]) -> Any:
    """Read a keyword argument of Keras 2, where a tensor is a list of its layer's name and two numbers."""
    if isinstance(value, list):
        if len(value) in (3, 4) and isinstance(value[0], str) and value[0] in names:
            return Reference(value[0], int(value[1]), int(value[2]))
        return [_option(each, names) for each in value]
    return constant(value)


def constant(value: Any) -> Any:
    """Read an argument: numbers, arrays, slices and, in Keras 3, tensors; lists of them too."""
    if isinstance(value, list | tuple):
        return [constant(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"start", "stop", "step"}:
        return slice(*(constant(value[key]) for key in ("start", "stop", "step")))
    config = value.get("config", {})
    match value.get("class_name"):
        case "__keras_tensor__":
            layer, call, output = config["keras_history"]
            return Reference(str(layer), int(call), int(output))
        case "__tensor__" | "__numpy__":
            return np.asarray(config["value"], np.float64)
        case "__ellipsis__":
            return Ellipsis
        case "__slice__":
            return slice(*(constant(config[key]) for key in ("start", "stop", "step")))
    return value


def _references(values: Sequence[Any]) -> Iterator[Reference]:
    for value in values:
        if isinstance(value, Reference):
            yield value
        elif isinstance(value, list):
            yield from _references(value)


def _renumber(
    calls: Mapping[tuple[str, int], Call], outputs: tuple[Reference, ...]
) -> tuple[dict[tuple[str, int], Call], tuple[Reference, ...]]:
    """Count the calls of a nested model from 0. Most versions of Keras 2 count its making as the first call."""
    counts = Counter(name for name, _ in calls)
    references = [*outputs, *(each for call in calls.values() for each in call.references())]
    late = {each.layer for each in references if each.call >= counts[each.layer]}

    def move(value: Any) -> Any:
        if isinstance(value, Reference):
            return replace(value, call=value.call - 1) if value.layer in late else value
        return [move(each) for each in value] if isinstance(value, list) else value

    moved = {
        key: replace(
            call,
            arguments=tuple(move(each) for each in call.arguments),
            options={name: move(each) for name, each in call.options.items()},
        )
        for key, call in calls.items()
    }
    return moved, tuple(move(each) for each in outputs)


def _ends(value: Any) -> Iterator[Reference]:
    """Read the ends of a model: one as a flat list or several as a list of lists."""
    entries = [value] if value and isinstance(value[0], str) else value
    if isinstance(entries, dict):
        entries = list(entries.values())
    for each in entries:
        yield Reference(str(each[0]), int(each[1]), int(each[2]))
