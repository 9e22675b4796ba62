"""Cut a .tflite model into its operators: one file, with a few bytes rewritten before each piece is opened.

XNNPACK runs a whole graph as one operator and does not report the time of its parts, so each operator needs a model of
its own. The layout and the field numbers are those of TensorFlow's schema.fbs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mobilenet_edge.device.faults import InvalidModel, RequestError
from mobilenet_edge.formats.wire.flatbuffer import Table

MAX_OPERATORS: Final = 200
_CUSTOM: Final = 32


@dataclass(frozen=True)
class GraphOperator:
    """An operator of the graph.

    Attributes:
        kind: "BUILTIN_" and its code in schema.fbs, or the name of a custom operator.
        name: Name of its first output.
        inputs: Indexes of its input tensors, without the constants stored in the file.
        outputs: Indexes of its output tensors.
        position: Position of its table in the file, in bytes.
    """

    kind: str
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    position: int


@dataclass(frozen=True)
class Piece:
    """A model of one operator and of those that prepare its constants, such as the DEQUANTIZE of float16 weights.

    Attributes:
        index: Index of the operator.
        inputs: Indexes of the input tensors, in the order of the runtime.
        outputs: Indexes of the output tensors, in the order of the runtime.
        patches: The uint32 to write at each position in the file.
    """

    index: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    patches: dict[int, int]


@dataclass(frozen=True)
class Pieces:
    """A model of one graph and its pieces.

    Attributes:
        operators: All operators, in execution order.
        inputs: Indexes of the model's input tensors.
        outputs: Indexes of the model's output tensors.
        data: The file, followed by the lists of inputs and outputs of each piece.
        pieces: In execution order; an operator on constants alone is part of the pieces that read its outputs.
    """

    operators: tuple[GraphOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    data: bytes
    pieces: tuple[Piece, ...]

    def write(self, path: Path) -> Iterator[Piece]:
        """Write the file, then patch it to be one piece after the other, and yield each piece.

        A runtime reads the graph when it opens a file, and maps the weights, which are not changed. So all pieces can
        be open at once and share the memory of the file.
        """
        path.write_bytes(self.data)
        for piece in self.pieces:
            with path.open("r+b") as file:
                for position, value in piece.patches.items():
                    file.seek(position)
                    file.write(struct.pack("<I", value))
            yield piece


def cut(data: bytes) -> Pieces:
    """Cut a model into its operators.

    Raises:
        InvalidModel: The file is damaged, or an operator reads a tensor that no earlier one writes.
        RequestError: It has several graphs, more than `MAX_OPERATORS` operators, or a layout that cannot be cut.
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
    if not 0 < len(operators) <= MAX_OPERATORS:
        raise RequestError(
            f"operators are timed in models of 1 to {MAX_OPERATORS} operators, and this has {len(operators)}; "
            "time it whole"
        )
    inputs = graph.numbers(1, "i")
    variable = _variable_tensors(operators, inputs)
    cutter = _Cutter(data, model, graph)
    pieces = tuple(
        cutter.cut(index, _preparation(operators[:index], operator, variable), operator, variable)
        for index, operator in enumerate(operators)
        if variable.issuperset(operator.outputs)
    )
    return Pieces(operators, inputs, graph.numbers(2, "i"), bytes(cutter.data), pieces)


class _Cutter:
    """Builder of pieces, which appends their lists of tensors to the file."""

    def __init__(self, data: bytes, model: Table, graph: Table) -> None:
        self.data = bytearray(data)
        self.slots = graph.span(3, 4)[0]
        self.interface = (graph.place(1), graph.place(2))
        if not all(self.interface):
            raise ValueError("its graph has no inputs or no outputs")
        # Signatures are removed, because they name inputs and outputs that a piece does not have.
        signatures, _ = model.span(7, 4)
        if signatures:
            struct.pack_into("<I", self.data, signatures - 4, 0)
        self.data += bytes(-len(self.data) % 4)

    def cut(
        self, index: int, preparation: Sequence[GraphOperator], operator: GraphOperator, variable: set[int]
    ) -> Piece:
        inputs = tuple(dict.fromkeys(index for index in operator.inputs if index in variable))
        patches = {self.slots - 4: len(preparation) + 1}
        distances = {
            self.slots + 4 * slot: member.position - (self.slots + 4 * slot)
            for slot, member in enumerate((*preparation, operator))
        }
        for position, indexes in zip(self.interface, (inputs, operator.outputs)):
            distances[position] = self._append(indexes) - position
        # A flatbuffer refers only forward, and all known writers put the operators after their list.
        if min(distances.values()) <= 0:
            raise RequestError("the file is laid out in a way that cannot be cut into operators; time it whole")
        return Piece(index, inputs, operator.outputs, {**patches, **distances})

    def _append(self, indexes: Sequence[int]) -> int:
        position = len(self.data)
        self.data += struct.pack(f"<I{len(indexes)}i", len(indexes), *indexes)
        return position


def _operators(model: Table, graph: Table) -> tuple[GraphOperator, ...]:
    kinds = [_kind(code) for code in model.tables(1)]
    sizes = [buffer.span(0, 1)[1] for buffer in model.tables(4)]
    tensors = graph.tables(0)
    operators = []
    for table in graph.tables(3):
        inputs, outputs = table.numbers(1, "i"), table.numbers(2, "i")
        try:
            constant = {index for index in inputs if sizes[tensors[index].number(2, "I")]}
            name, kind = tensors[outputs[0]].text(3), kinds[table.number(0, "I")]
        except IndexError as error:
            raise ValueError("an operator refers to a tensor, buffer or code that does not exist") from error
        # -1 stands for an omitted input.
        activations = tuple(index for index in inputs if index >= 0 and index not in constant)
        operators.append(GraphOperator(kind, name, activations, outputs, table.position))
    return tuple(operators)


def _kind(code: Table) -> str:
    # Codes above 127 are in a wider field, which was added later.
    number = max(code.number(0, "b"), code.number(3, "i"))
    return code.text(1) if number == _CUSTOM else f"BUILTIN_{number}"


def _variable_tensors(operators: Sequence[GraphOperator], inputs: Sequence[int]) -> set[int]:
    """Return the indexes of the tensors that depend on the model's inputs."""
    variable, available = set(inputs), set(inputs)
    for operator in operators:
        if not available.issuperset(operator.inputs):
            raise InvalidModel(
                f"operator {operator.name!r} reads a tensor that no earlier one writes; export the model again"
            )
        available.update(operator.outputs)
        if variable.intersection(operator.inputs):
            variable.update(operator.outputs)
    return variable


def _preparation(before: Sequence[GraphOperator], operator: GraphOperator, variable: set[int]) -> list[GraphOperator]:
    """Return the operators that compute an operator's constants, in execution order."""
    constants = set(operator.inputs) - variable
    chosen = []
    for candidate in reversed(before):
        if constants.intersection(candidate.outputs):
            constants.update(set(candidate.inputs) - variable)
            chosen.append(candidate)
    return chosen[::-1]
