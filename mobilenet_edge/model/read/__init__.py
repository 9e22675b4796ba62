"""Read Keras models: a description in JSON and arrays, folded into the graph.

Files are read without Keras, and nothing of a file is run. What the graph cannot hold exactly is refused by name, all
layers at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_edge import files
from mobilenet_edge.errors import BuildError, InputError
from mobilenet_edge.graph import Graph
from mobilenet_edge.model.norm import Norm
from mobilenet_edge.model.read.architecture import Description, describe
from mobilenet_edge.model.read.arrays import Arrays
from mobilenet_edge.model.read.file import Source, of_model, opened
from mobilenet_edge.model.read.folding import Folding
from mobilenet_edge.model.read.input_rule import Rule, rule_of
from mobilenet_edge.model.read.unsupported import Refusals, Unsupported
from mobilenet_edge.model.read.values import Affine, Pixels
from mobilenet_edge.model.read.walk import Walk


@dataclass(frozen=True)
class Model:
    """A Keras model as mnet works with it.

    Attributes:
        graph: Folded, without the layers that became the rule.
        name: As the user gave it.
        rule: What layers at the head of the model do to pixels; of no layers where there are none.
        version: Of the Keras that wrote it, (major, minor).
        norms: Batch norms that read a convolution directly, in order.
    """

    graph: Graph
    name: str
    rule: Rule
    version: tuple[int, int]
    norms: tuple[Norm, ...] = ()

    @property
    def first_norm(self) -> Norm | None:
        """The batch norm behind the convolution that reads the image, None where there is none."""
        first = (each for each in self.norms if each.node.op == "conv" and each.node.inputs == (self.graph.input,))
        return next(first, None)


def read(path: Path) -> Model:
    """Read a Keras file as `parse` does.

    Raises:
        InputError: Also where the file cannot be read.
    """
    return parse(files.read_bytes(path), str(path))


def parse(data: bytes, name: str) -> Model:
    """Read a `.keras` file of Keras 2.12 and later, or a whole-model `.h5` file of Keras 2 and 3, by its bytes.

    Args:
        data: The whole file.
        name: For messages.

    Raises:
        InputError: It is damaged, or a layer in it needs code that is not Keras's own.
        BuildError: The graph cannot hold a layer; the message names all of them.
        MissingExtraError: h5py is not installed.
    """
    with opened(data, name) as source:
        return _read(source, name)


def held(model: Any) -> Model:
    """Read a keras.Model that is in memory; as `parse` would read its file, without writing one.

    Raises:
        BuildError: The graph cannot hold a layer; the message names all of them.
    """
    name = str(model.name)
    try:
        source = of_model(model)
    except ValueError as error:
        raise _inexpressible(name, error) from error
    return _read(source, name)


def _read(source: Source, name: str) -> Model:
    try:
        description = describe(source.config)
    except ValueError as error:
        raise _inexpressible(name, error) from error
    except (KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{name} is not described as Keras does ({type(error).__name__} {error}); save it again"
        ) from error
    return _fold(source, description, name)


def _inexpressible(name: str, error: ValueError) -> BuildError:
    return BuildError(f"{name} cannot be exported: {error}; build it as a functional model")


def _fold(source: Source, description: Description, path: str) -> Model:
    refusals, folding = Refusals(path), Folding(source.version)
    try:
        if len(description.inputs) != 1:
            raise Unsupported(f"has {len(description.inputs)} inputs; mnet takes one picture: build it with one")
        picture = _picture(description)
        output = Walk(folding, Arrays(source, description), refusals).run(description, [picture])
        refusals.raise_any()
        graph = folding.finish(description.name, output, description.outputs[0].layer)
        rule = rule_of(folding.picture or picture)
    except Unsupported as error:
        refusals.raise_any()
        raise BuildError(f"{path} cannot be exported: the model {error.reason}") from error
    return Model(graph, description.name, rule, source.version, tuple(folding.norms))


def _picture(model: Description) -> Pixels:
    (end,) = model.inputs
    config = model.calls[end.layer, 0].layer.config
    shape = config.get("batch_shape") or config.get("batch_input_shape")
    if not isinstance(shape, list) or len(shape) != 4 or not isinstance(shape[3], int):
        raise Unsupported(f"takes an input of {shape}; mnet takes pictures: (batch, height, width, channels)")
    height, width, channels = shape[1:]
    size = (height, width) if isinstance(height, int) and isinstance(width, int) else None
    return Pixels(tuple(range(channels)), Affine(np.ones(()), np.zeros(())), size)
