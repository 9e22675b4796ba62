"""A .tflite model cut into its operators: one file, of which a few bytes are rewritten before each piece is opened.

XNNPACK runs a whole graph as one operator and tells nobody how long its parts took; a model of one operator does.

The layout is that of TensorFlow's schema.fbs, and the numbers of fields are from there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mobilenet_edge.device.faults import InvalidModel, RequestError
from mobilenet_edge.formats.wire.flatbuffer import Table

MOST_OPERATORS: Final = 200
_CUSTOM: Final = 32


@dataclass(frozen=True)
class GraphOperator:
    """An operator of the graph.

    Attributes:
        kind: "BUILTIN_" and its code in schema.fbs, or the name of a custom operator.
        name: Of its first output.
        inputs: Indexes of the tensors it reads, without the constants that the file holds.
        outputs: Indexes of the tensors it makes.
        position: Of its table in the file.
    """

    kind: str
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    position: int


@dataclass(frozen=True)
class Piece:
    """A model of one operator, and of those that prepare its constants, such as the DEQUANTIZE of float16 weights.

    Attributes:
        index: Of the operator.
        inputs: Indexes of the tensors it is given, in the order in which the runtime lists them.
        outputs: Likewise of those it makes.
        patches: What to write into the file, a uint32 at each of these places.
    """

    index: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    patches: dict[int, int]


@dataclass(frozen=True)
class Pieces:
    """A model of one graph, and how it is cut.

    Attributes:
        operators: All of them, in execution order.
        inputs: Indexes of the model's inputs.
        outputs: Indexes of its outputs.
        data: The file, and behind it the lists of inputs and outputs of every piece.
        pieces: In execution order; an operator that reads constants alone belongs to the piece that reads it.
    """

    operators: tuple[GraphOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    data: bytes
    pieces: tuple[Piece, ...]

    def write(self, path: Path) -> Iterator[Piece]:
        """Write the file, and rewrite it to be one piece after the other.

        A runtime reads the graph when it opens a file and maps the weights, which stay where they are. So all pieces
        can be open at once, and share the file's memory.
        """
        path.write_bytes(self.data)
        for piece in self.pieces:
            with path.open("r+b") as file:
                for place, value in piece.patches.items():
                    file.seek(place)
                    file.write(struct.pack("<I", value))
            yield piece


def cut(data: bytes) -> Pieces:
    """Cut a model into its operators.

    Raises:
        InvalidModel: The file is damaged, or an operator reads what none before it makes.
        RequestError: It has several graphs, more than `MOST_OPERATORS` operators, or a layout that cannot be cut.
    """
    try:
        return _cut(data)
    except ValueError as error:
        raise InvalidModel(f"the model is damaged: {error}; export or copy it again") from error


def _cut(data: bytes) -> Pieces:
    model = Table.root(data)
    graphs = model.tables(2)
    if len(graphs) != 1:
        raise RequestError(f"operators are timed in models of one graph, and this has {len(graphs)}; time it whole")
    graph = graphs[0]
    operators = _operators(model, graph)
    if not 0 < len(operators) <= MOST_OPERATORS:
        raise RequestError(
            f"operators are timed in models of 1 to {MOST_OPERATORS}, and this has {len(operators)}; time it whole"
        )
    inputs = graph.numbers(1, "i")
    live = _live(operators, inputs)
    cutter = _Cutter(data, model, graph)
    pieces = tuple(
        cutter.cut(index, _preparing(operators[:index], each, live), each, live)
        for index, each in enumerate(operators)
        if live.issuperset(each.outputs)
    )
    return Pieces(operators, inputs, graph.numbers(2, "i"), bytes(cutter.data), pieces)


class _Cutter:
    """Collects the lists of tensors behind the file."""

    def __init__(self, data: bytes, model: Table, graph: Table) -> None:
        self.data = bytearray(data)
        self.slots = graph.span(3, 4)[0]
        self.ends = (graph.place(1), graph.place(2))
        if not all(self.ends):
            raise ValueError("its graph has no inputs or no outputs")
        # Signatures name inputs and outputs that a piece does not have.
        signatures, _ = model.span(7, 4)
        if signatures:
            struct.pack_into("<I", self.data, signatures - 4, 0)
        self.data += bytes(-len(self.data) % 4)

    def cut(self, index: int, preparing: Sequence[GraphOperator], operator: GraphOperator, live: set[int]) -> Piece:
        inputs = tuple(dict.fromkeys(each for each in operator.inputs if each in live))
        patches = {self.slots - 4: len(preparing) + 1}
        distances = {
            self.slots + 4 * slot: each.position - (self.slots + 4 * slot)
            for slot, each in enumerate((*preparing, operator))
        }
        for place, indexes in zip(self.ends, (inputs, operator.outputs)):
            distances[place] = self._append(indexes) - place
        # Distances in a flatbuffer are forward; every writer we know puts operators behind the list of them.
        if min(distances.values()) <= 0:
            raise RequestError("the file is laid out in a way that cannot be cut into operators; time it whole")
        return Piece(index, inputs, operator.outputs, {**patches, **distances})

    def _append(self, indexes: Sequence[int]) -> int:
        place = len(self.data)
        self.data += struct.pack(f"<I{len(indexes)}i", len(indexes), *indexes)
        return place


def _operators(model: Table, graph: Table) -> tuple[GraphOperator, ...]:
    kinds = [_kind(code) for code in model.tables(1)]
    sizes = [buffer.span(0, 1)[1] for buffer in model.tables(4)]
    tensors = graph.tables(0)
    found = []
    for each in graph.tables(3):
        inputs, outputs = each.numbers(1, "i"), each.numbers(2, "i")
        try:
            constant = {index for index in inputs if sizes[tensors[index].number(2, "I")]}
            name, kind = tensors[outputs[0]].text(3), kinds[each.number(0, "I")]
        except IndexError as error:
            raise ValueError("an operator refers to what is not there") from error
        # -1 stands for an input that is left out.
        read = tuple(index for index in inputs if index >= 0 and index not in constant)
        found.append(GraphOperator(kind, name, read, outputs, each.position))
    return tuple(found)


def _kind(code: Table) -> str:
    # Codes above 127 came later, and with them a wider field.
    number = max(code.number(0, "b"), code.number(3, "i"))
    return code.text(1) if number == _CUSTOM else f"BUILTIN_{number}"


def _live(operators: Sequence[GraphOperator], inputs: Sequence[int]) -> set[int]:
    """The tensors that depend on the model's inputs."""
    live, made = set(inputs), set(inputs)
    for each in operators:
        if not made.issuperset(each.inputs):
            raise InvalidModel(f"operator {each.name!r} reads what none before it makes; export the model again")
        made.update(each.outputs)
        if live.intersection(each.inputs):
            live.update(each.outputs)
    return live


def _preparing(before: Sequence[GraphOperator], operator: GraphOperator, live: set[int]) -> list[GraphOperator]:
    """The operators that make an operator's constants, first to last."""
    wanted = set(operator.inputs) - live
    chosen = []
    for each in reversed(before):
        if wanted.intersection(each.outputs):
            wanted.update(set(each.inputs) - live)
            chosen.append(each)
    return chosen[::-1]
