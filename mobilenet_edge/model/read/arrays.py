"""Where the arrays of each layer are.

A `.keras` file keeps them by class and number, an `.h5` file by names in a group of the outermost layer, and a model in
memory in its layers.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.model.read.architecture import Description, Layer
from mobilenet_edge.model.read.file import Source
from mobilenet_edge.model.read.unsupported import Unsupported
from mobilenet_edge.model.read.variables import UNTRAINED, variables

Array64 = NDArray[np.float64]
# The groups in which `.keras` files keep layers: Keras 3 and 2.13 to 2.15, and Keras 2.12.
_GROUPS: Final = ("layers", "_layer_checkpoint_dependencies")


class Arrays:
    """The arrays of a model's layers, read when they are asked for."""

    def __init__(self, source: Source, model: Description) -> None:
        find = {"numbers": _by_number, "names": _by_name, "layers": _in_layers}[source.layout]
        self._datasets = dict(find(source.arrays, model))

    def read(self, layer: Layer, shapes: Sequence[tuple[int, ...]]) -> list[Array64]:
        """Read all arrays of a layer, which must have these shapes.

        Returns:
            float64, in the order of `variables`.

        Raises:
            Unsupported: There are others, or they are integers of a quantised layer.
        """
        datasets = self._datasets.get(id(layer), [])
        if any(np.issubdtype(each.dtype, np.integer) and each.shape for each in datasets):
            raise Unsupported("is quantised already: its weights are integers; give the float model")
        given = [tuple(each.shape) for each in datasets]
        # Compared before anything is read: a damaged shape could ask for any amount of memory.
        if given != list(shapes):
            names = ", ".join(variables(layer))
            raise Unsupported(f"should have {names} of shapes {list(shapes)}; the file has {given or 'none'}")
        return [_floats(each) for each in datasets]


def _floats(dataset: Any) -> Array64:
    if isinstance(dataset, np.ndarray):
        return np.asarray(dataset, np.float64)
    if dataset.attrs.get("dtype") == "bfloat16":
        # The upper half of a float32, which h5py knows as two bytes without a meaning.
        halves = np.frombuffer(np.asarray(dataset).tobytes(), np.uint16).astype(np.uint32)
        return (halves << 16).view(np.float32).astype(np.float64).reshape(dataset.shape)
    if dataset.shape and not np.issubdtype(dataset.dtype, np.floating):
        raise Unsupported(f"has weights of type {dataset.dtype}, which are no floating-point numbers")
    return np.asarray(dataset, np.float64)


def _by_number(group: Any, model: Description) -> Iterator[tuple[int, list[Any]]]:
    """Yield the datasets of each layer in a `.keras` file: a class and a running number a layer, a number a dataset."""
    inside: Any = next((group[name] for name in _GROUPS if name in group), {})
    numbers: Counter[str] = Counter()
    for layer in model.layers:
        name = _snake_case(layer.kind)
        place = inside.get(f"{name}_{numbers[name]}" if numbers[name] else name)
        numbers[name] += 1
        if place is None:
            continue
        if layer.model is not None:
            yield from _by_number(place, layer.model)
        elif "vars" in place:
            yield id(layer), [place["vars"][key] for key in sorted(place["vars"], key=int)]


def _in_layers(held: Any, model: Description) -> Iterator[tuple[int, list[Any]]]:
    """Yield the arrays of each layer of a keras.Model; a type that numpy lacks, as bfloat16, becomes float32."""
    owners = {layer.name: layer for layer in held.layers}
    for layer in model.layers:
        owner = owners.get(layer.name)
        if owner is None:
            continue
        if layer.model is not None:
            yield from _in_layers(owner, layer.model)
        else:
            arrays = (np.asarray(weight) for weight in owner.weights)
            yield id(layer), [each if each.dtype.kind in "biuf" else each.astype(np.float32) for each in arrays]


def _snake_case(name: str) -> str:
    """Write a class name as Keras does in the names of groups."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _by_name(group: Any, model: Description) -> Iterator[tuple[int, list[Any]]]:
    """Yield the datasets of each layer in a legacy file: an outermost layer is a group with a list of names."""
    for layer in model.layers:
        if layer.name in group:
            held = group[layer.name]
            yield from _assign([layer], [(name, held[name]) for name in _names(held)])


def _names(group: Any) -> list[str]:
    """Read the list of names, which is cut into numbered parts where it is long."""
    attributes = group.attrs
    if "weight_names" in attributes:
        parts = [attributes["weight_names"]]
    else:
        count = sum(re.fullmatch(r"weight_names\d+", key) is not None for key in attributes)
        parts = [attributes[f"weight_names{number}"] for number in range(count)]
    return [name.decode() if isinstance(name, bytes) else str(name) for part in parts for name in part]


def _assign(layers: list[Layer], datasets: list[tuple[str, Any]]) -> Iterator[tuple[int, list[Any]]]:
    """Give the datasets of one group to the layers inside: by Keras's order where names agree with it, else by name.

    The order follows from which layers were being trained, and files do not always tell.
    """
    first, then = _order(layers, frozen=False)
    slots = first + then
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    inside = {layer.name for layer, _ in slots}
    if len(slots) == len(datasets) and all(
        _agrees(layer, variable, name, inside) for (layer, variable), (name, _) in zip(slots, datasets, strict=True)
    ):
        for (layer, variable), (_, dataset) in zip(slots, datasets, strict=True):
            found[id(layer)][variable] = dataset
    else:
        by_name = {_split(name): dataset for name, dataset in datasets}
        for layer, variable in slots:
            for name in (variable, variable.removeprefix("depthwise_")):
                if (layer.name, name) in by_name:
                    found[id(layer)][variable] = by_name[layer.name, name]
                    break
    for layer in {id(layer): layer for layer, _ in slots}.values():
        held = found[id(layer)]
        yield id(layer), [held[variable] for variable in variables(layer) if variable in held]


def _order(layers: Sequence[Layer], *, frozen: bool) -> tuple[list[tuple[Layer, str]], list[tuple[Layer, str]]]:
    """List layers and variables as legacy files do: what was being trained, then what was not."""
    first: list[tuple[Layer, str]] = []
    then: list[tuple[Layer, str]] = []
    for layer in layers:
        stuck = frozen or not layer.config.get("trainable", True)
        if layer.model is not None:
            trained, others = _order(layer.model.layers, frozen=stuck)
            first += trained
            then += others
        for variable in variables(layer):
            (then if stuck or variable in UNTRAINED else first).append((layer, variable))
    return first, then


def _agrees(layer: Layer, variable: str, name: str, inside: set[str]) -> bool:
    """Whether a dataset's name says nothing against its being this variable of this layer."""
    owner, kind = _split(name)
    return kind in (variable, variable.removeprefix("depthwise_")) and (owner == layer.name or owner not in inside)


def _split(name: str) -> tuple[str, str]:
    """Split "block/conv1/kernel:0" into the layer's name and the variable's."""
    owner, _, kind = name.rpartition("/")
    return owner.rpartition("/")[2], re.sub(r"(_\d+)?(:\d+)?$", "", kind)
