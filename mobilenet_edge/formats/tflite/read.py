"""A .tflite file: a flatbuffer by TensorFlow's schema.fbs, and a zip behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mobilenet_edge.formats import archive
from mobilenet_edge.formats.contents import Contents, Operator, Tensor
from mobilenet_edge.formats.metadata import MEMBER, Metadata, apart, joined
from mobilenet_edge.formats.tflite import options, task_metadata
from mobilenet_edge.formats.tflite.opcodes import BUILTIN, CUSTOM
from mobilenet_edge.formats.wire.flatbuffer import Table

_TYPES: Final = {
    0: "float32", 1: "float16", 2: "int32", 3: "uint8", 4: "int64", 5: "string", 6: "bool", 7: "int16", 8: "complex64",
    9: "int8", 10: "float64", 11: "complex128", 12: "uint64", 13: "resource", 14: "variant", 15: "uint32", 16: "uint16",
    17: "int4", 18: "bfloat16",
}  # fmt: skip
_ABSENT: Final = -1  # an optional input that is left out
_BYTES: Final = ("int8", "uint8")


def contents(data: bytes) -> Contents:
    """Read tensors and operators of the only or first subgraph."""
    if data[4:8] != b"TFL3":
        raise ValueError("it does not begin as a TFLite flatbuffer does")
    model = Table.root(data)
    subgraphs = model.tables(2)
    if not subgraphs:
        raise ValueError("it holds no graph")
    graph = subgraphs[0]
    buffers = [_buffer(table) for table in model.tables(4)]
    tensors = [_tensor(data, table, buffers) for table in graph.tables(0)]
    codes = [_code(table) for table in model.tables(1)]
    names = _unique([tensor.name for tensor in tensors])
    operators = tuple(_operator(table, codes, names) for table in graph.tables(3))
    return Contents(
        dict(zip(names, tensors, strict=True)),
        operators,
        _named(names, graph.numbers(1, "i")),
        _named(names, graph.numbers(2, "i")),
        _sections(data, model, graph, tensors, buffers),
    )


def metadata(data: bytes) -> str | None:
    """The metadata in the zip behind the flatbuffer, labels included."""
    text = archive.read(data)
    labels = archive.read(data, archive.LABELS) if text else None
    if text is None or labels is None:
        return text
    return joined(text, labels)


def embed(data: bytes, about: Metadata) -> bytes:
    """Add TFLite Metadata, and append ours; labels as `labels.txt`, where TFLite's own tools look for them."""
    text, labels = apart(about)
    members = {MEMBER: text, archive.LABELS: labels} if labels else {MEMBER: text}
    # MediaPipe refuses a zip with compressed members.
    return archive.append(task_metadata.add(data, about), members, compress=False)


def _named(names: list[str], indices: Sequence[int]) -> tuple[str, ...]:
    if any(index < 0 for index in indices):
        raise ValueError("it refers to a tensor before the first")
    return tuple(names[index] for index in indices)


def _buffer(table: Table) -> tuple[int, int]:
    return table.span(0, 1)


def _code(table: Table) -> str:
    code = max(table.number(0, "b"), table.number(3, "i"))
    return table.text(1) if code == CUSTOM else BUILTIN.get(code, f"BUILTIN_{code}")


def _operator(table: Table, codes: list[str], names: list[str]) -> Operator:
    kind = codes[table.number(0, "I")]
    inputs = [index for index in table.numbers(1, "i") if index != _ABSENT]
    outputs = table.numbers(2, "i")
    return Operator(kind, _named(names, inputs), _named(names, outputs), options.read(kind, table.table(4)))


def _tensor(data: bytes, table: Table, buffers: list[tuple[int, int]]) -> Tensor:
    quantisation = table.table(4)
    start, size = buffers[table.number(2, "I")]
    return Tensor(
        name=table.text(3),
        shape=table.numbers(7, "i") or table.numbers(0, "i"),
        dtype=_TYPES.get(table.number(1, "b"), "unknown"),
        scales=tuple(map(float, quantisation.numbers(2, "f"))) if quantisation else (),
        zero_points=quantisation.numbers(3, "q") if quantisation else (),
        constant_bytes=size,
        constant=memoryview(data)[start : start + size],
    )


def _unique(names: list[str]) -> list[str]:
    """Make tensor names unique, as a key must be; the schema does not ask it of them."""
    seen: set[str] = set()
    unique = []
    for index, name in enumerate(names):
        unique.append(f"{name}#{index}" if name in seen or not name else name)
        seen.add(unique[-1])
    return unique


def _sections(
    data: bytes, model: Table, graph: Table, tensors: list[Tensor], buffers: list[tuple[int, int]]
) -> dict[str, int]:
    constants = {table.number(2, "I"): tensor for table, tensor in zip(graph.tables(0), tensors, strict=True)}
    # The weights of a compiled file have one axis, too.
    stored = {i: len(tensor.shape) > 1 or tensor.dtype in _BYTES for i, tensor in constants.items() if tensor.shape}
    weights, biases = (
        sum(buffers[i][1] for i, whole in stored.items() if whole is wanted and i) for wanted in (True, False)
    )
    spans = set()
    for table in graph.tables(0):
        if (quantisation := table.table(4)) is not None:
            spans |= {(*quantisation.span(2, 4), 4), (*quantisation.span(3, 8), 8)}
    parameters = sum(length * size + 4 for _, length, size in spans if length)
    described = {entry.number(1, "I") for entry in model.tables(6)}
    sections = {
        "weights": weights,
        "biases": biases,
        "quantisation": parameters,
        "metadata": len(data) - archive.start(data) + sum(buffers[i][1] for i in described if i < len(buffers)),
    }
    return {**sections, "graph": len(data) - sum(sections.values())}
