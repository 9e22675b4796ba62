"""Weights for a MobileNet from `--weights`: Keras's cache, or a file in one of Keras's three layouts.

Files are read and checked against the layer table alone, before TensorFlow is started.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge import files
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import artifact
from mobilenet_edge.model import hdf5, imagenet
from mobilenet_edge.model.layers import Layer, table
from mobilenet_edge.model.spec import ModelSpec

RANDOM: Final = "random"
IMAGENET: Final = "imagenet"

Arrays = dict[str, list[NDArray[np.float32]]]


def read(source: str, spec: ModelSpec, *, head: bool = True) -> Arrays:
    """Read the weights of a variant. They do not depend on rho: a file made at another resolution serves too.

    Args:
        source: "random", "imagenet", or the path of a `.h5`, `.weights.h5` or `.keras` file.
        spec: What they are for.
        head: Whether the classifier is wanted; without, the file may have any other.

    Returns:
        float32 arrays by layer name, in Keras's order: kernel (kh, kw, in, out) and what follows it; gamma, beta, mean
        and variance, each (channels,). Empty for "random".

    Raises:
        InputError: No such file, another kind of file, or a layer in it is missing, of another shape or not finite.
        MissingExtraError: h5py is not installed.
        UsageError: No ImageNet weights were published for the variant.
    """
    if source == RANDOM:
        return {}
    if source == IMAGENET:
        name = str(imagenet.cache() / imagenet.file_name(spec))
        return parse(imagenet.fetch(spec, lambda data: parse(data, name, spec)), name, spec, head=head)
    path = Path(source)
    if not path.exists():
        raise InputError(f"--weights {source}: there is no such file; give random, imagenet or a file of weights")
    if path.suffix == ".keras":
        return parse(hdf5.inside(artifact.read(path).data, str(path)), str(path), spec, head=head)
    if path.suffix in (".h5", ".hdf5"):
        return parse(files.read_bytes(path), str(path), spec, head=head)
    raise InputError(f"--weights {source}: mnet reads weights from .h5, .weights.h5 and .keras files")


def parse(data: bytes, name: str, spec: ModelSpec, *, head: bool = True) -> Arrays:
    """Read an HDF5 file's bytes as `read` does; `name` is for messages."""
    with hdf5.opened(data, name) as file:
        found = _by_path(file, spec) if "layers" in file else _by_name(file)
        return {
            layer: _checked(found.get(layer, []), shapes, layer, name)
            for layer, shapes in expected(spec).items()
            if head or layer != classifier(spec)
        }


def assign(model: Any, arrays: Arrays) -> None:
    """Put the arrays into the layers of a keras.Model that bear their names."""
    for name, values in arrays.items():
        model.get_layer(name).set_weights(values)


def classifier(spec: ModelSpec) -> str:
    """Return the name of the layer that gives the logits."""
    return table(spec)[-1].name


def expected(spec: ModelSpec) -> dict[str, list[tuple[int, ...]]]:
    """Shapes of a variant's weights by layer name, in the order of its layers."""
    shapes: dict[str, list[tuple[int, ...]]] = {}
    for layer in table(spec):
        bias = [] if layer.norm else [(layer.outputs,)]
        shapes[layer.name] = [_kernel(layer), *bias]
        if layer.norm:
            shapes[layer.norm] = [(layer.outputs,)] * 4
    return shapes


def _kernel(layer: Layer) -> tuple[int, ...]:
    if layer.dense:
        return (layer.inputs, layer.outputs)
    return (layer.kernel, layer.kernel, layer.inputs, 1 if layer.kind == "depthwise" else layer.outputs)


def _by_name(file: Any) -> Mapping[str, list[Any]]:
    """The legacy layout: a group a layer that lists its datasets in order; in `model_weights` of a whole model."""
    root = file.get("model_weights", file)
    return {
        name: [group[_text(path)] for path in group.attrs["weight_names"]]
        for name, group in root.items()
        if "weight_names" in group.attrs
    }


def _by_path(file: Any, spec: ModelSpec) -> Mapping[str, list[Any]]:
    """The Keras 3 layout: no names, but a class and a running number a layer, and a number a dataset."""
    found = {}
    for name, place in _places(spec):
        group = file["layers"].get(f"{place}/vars")
        if group is not None:
            found[name] = [group[key] for key in sorted(group, key=int)]
    return found


def _places(spec: ModelSpec) -> Iterator[tuple[str, str]]:
    numbers: Counter[str] = Counter()
    for layer in table(spec):
        own = "dense" if layer.dense else "depthwise_conv2d" if layer.kind == "depthwise" else "conv2d"
        for name, kind in ((layer.name, own), *([(layer.norm, "batch_normalization")] if layer.norm else [])):
            yield name, f"{kind}_{numbers[kind]}" if numbers[kind] else kind
            numbers[kind] += 1


def _checked(datasets: list[Any], shapes: list[tuple[int, ...]], layer: str, name: str) -> list[NDArray[np.float32]]:
    if not datasets:
        raise InputError(
            f"{name} has no weights for layer {layer!r}; it must be of the same family, with its classifier, as mnet "
            f"build makes it (a model with a head of its own needs no build: mnet export takes its .keras file)"
        )
    given = [tuple(dataset.shape) for dataset in datasets]
    # Compared before anything is read: a damaged shape could ask for any amount of memory.
    if given != shapes:
        raise InputError(
            f"{name}: layer {layer!r} has {_shown(given, shapes)}, the model needs {_shown(shapes, given)}; "
            f"build with the alpha and the classes of the file"
        )
    arrays = [np.asarray(dataset, np.float32) for dataset in datasets]
    if not all(np.isfinite(array).all() for array in arrays):
        raise InputError(f"{name}: layer {layer!r} has weights that are NaN or infinite; train it again")
    return arrays


def _shown(shapes: list[tuple[int, ...]], others: list[tuple[int, ...]]) -> str:
    """The first shape that differs, or all where the numbers of them do."""
    if len(shapes) != len(others):
        return f"{len(shapes)} arrays"
    return next(f"shape {own}" for own, other in zip(shapes, others, strict=True) if own != other)


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
