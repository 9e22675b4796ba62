"""A .onnx file: a protobuf by onnx.proto3 (field numbers from there)."""

from __future__ import annotations

import base64
import zlib
from dataclasses import replace
from typing import Final

from mobilenet_edge.formats.archive import LIMIT
from mobilenet_edge.formats.contents import Contents, Operator, Tensor
from mobilenet_edge.formats.metadata import KEY, LABELS_KEY, Metadata, apart, joined
from mobilenet_edge.formats.onnx import opset
from mobilenet_edge.formats.wire import protobuf
from mobilenet_edge.formats.wire.protobuf import Message, floats, signed

_TYPES: Final = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool",
    10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 16: "bfloat16", 21: "uint4", 22: "int4",
}  # fmt: skip
_OPSET_IMPORT: Final = 8
_METADATA_PROPS: Final = 14


def contents(data: bytes) -> Contents:
    """Read tensors and operators of the main graph."""
    model = Message.parse(data)
    graph = model.message(7)
    if graph is None or not graph.chunks.get(1):
        raise ValueError("it holds no ONNX graph")
    if not model.chunks.get(_OPSET_IMPORT):
        raise ValueError("it does not say which operator set it uses")
    opset.versions(model)  # refuses damage in them
    nodes = graph.messages(1)
    operators = tuple(map(_operator, nodes))
    constants = {message.text(8): message for message in graph.messages(5)} | _constant_nodes(nodes)
    # Before version 4 of the format a constant is among the inputs too.
    tensors = {
        **{tensor.name: tensor for tensor in map(_value, [*graph.messages(11), *graph.messages(12)])},
        **{name: _constant(name, message) for name, message in constants.items()},
    }
    tensors |= _quantised(operators, tensors, constants)
    return Contents(
        tensors,
        operators,
        tuple(name for message in graph.messages(11) if (name := message.text(1)) not in constants),
        tuple(message.text(1) for message in graph.messages(12)),
        _sections(data, model, operators, {name: tensors[name] for name in constants}),
    )


def metadata(data: bytes) -> str | None:
    """The metadata among `metadata_props`, labels included."""
    entries = {entry.text(1): entry for entry in Message.parse(data).messages(_METADATA_PROPS)}
    if KEY not in entries:
        return None
    text = entries[KEY].text(2)
    return joined(text, _unpacked(entries[LABELS_KEY].text(2))) if LABELS_KEY in entries else text


def embed(data: bytes, about: Metadata) -> bytes:
    """Put the metadata in front: protobuf takes fields in any order, and a file that is cut off lacks its graph first.

    Labels are an entry of their own, one a line, deflated by zlib, as base64: a thousand of them as JSON would be a
    fiftieth of the smallest model.
    """
    text, labels = apart(about)
    entries = _entry(KEY, text)
    if labels:
        entries += _entry(LABELS_KEY, base64.b64encode(zlib.compress(labels.encode(), 9)).decode())
    return entries + data


def _entry(key: str, value: str) -> bytes:
    return protobuf.chunk(_METADATA_PROPS, protobuf.text(1, key) + protobuf.text(2, value))


def _unpacked(text: str) -> str:
    stream = zlib.decompressobj()
    try:
        lines = stream.decompress(base64.b64decode(text, validate=True), LIMIT)
    except zlib.error as error:
        raise ValueError(f"its labels are damaged: {error}") from error
    if not stream.eof:
        raise ValueError("its labels are cut off")
    return lines.decode()


def _operator(node: Message) -> Operator:
    options = {each.text(1): signed(each.number(3)) for each in node.messages(5) if each.numbers.get(3)}
    return Operator(node.text(4), node.texts(1), node.texts(2), options)


def _constant_nodes(nodes: list[Message]) -> dict[str, Message]:
    """The tensors of `Constant` operators, which serve as an initialiser does."""
    return {
        node.text(2): tensor
        for node in nodes
        if node.text(4) == "Constant"
        for attribute in node.messages(5)
        if (tensor := attribute.message(5))
    }


def _constant(name: str, message: Message) -> Tensor:
    size = sum(len(chunk) for field in (4, 5, 7, 9) for chunk in message.chunks.get(field, []))
    shape = tuple(signed(side) for side in message.varints(1))
    dtype = _TYPES.get(message.number(2), "unknown")
    return Tensor(name, shape, dtype, constant_bytes=size, constant=_bytes(dtype, message))


def _bytes(dtype: str, message: Message) -> memoryview:
    """The values of an int8 or uint8 constant, which lie in the file as they are or as a number each."""
    if dtype not in ("int8", "uint8"):
        return memoryview(b"")
    raw = message.chunks.get(9)
    return raw[-1] if raw else memoryview(bytes(value & 0xFF for value in message.varints(5)))


def _value(message: Message) -> Tensor:
    kind = message.message(2)
    tensor = kind.message(1) if kind else None
    if tensor is None:
        return Tensor(message.text(1), (), "unknown")
    shape = tensor.message(2)
    sides = [signed(side.number(1, -1 & (1 << 64) - 1)) for side in shape.messages(1)] if shape else []
    return Tensor(message.text(1), tuple(sides), _TYPES.get(tensor.number(1), "unknown"))


def _quantised(
    operators: tuple[Operator, ...], tensors: dict[str, Tensor], constants: dict[str, Message]
) -> dict[str, Tensor]:
    """Give each tensor on the integer side of a (De)QuantizeLinear its scale and zero point."""
    made = {}
    for operator in operators:
        if operator.kind not in ("QuantizeLinear", "DequantizeLinear") or len(operator.inputs) < 2:
            continue
        name = (operator.outputs if operator.kind == "QuantizeLinear" else operator.inputs)[0]
        scale, zero = (constants.get(each) for each in (*operator.inputs[1:3], "")[:2])
        if scale is None:
            continue
        dtype = _TYPES.get(zero.number(2), "unknown") if zero else "uint8"
        old = tensors.get(name, Tensor(name, (), dtype))
        made[name] = replace(old, scales=_floats(scale), zero_points=_integers(zero))
    return made


def _floats(message: Message) -> tuple[float, ...]:
    return tuple(value for field in (9, 4) for chunk in message.chunks.get(field, []) for value in floats(chunk))


def _integers(message: Message | None) -> tuple[int, ...]:
    """The values of an int8 or uint8 constant."""
    if message is None:
        return (0,)
    sign = _TYPES.get(message.number(2)) == "int8"
    raw = [byte for chunk in message.chunks.get(9, []) for byte in chunk] or message.varints(5)
    return tuple(byte - 256 if sign and 127 < byte < 256 else signed(byte) for byte in raw)


def _sections(
    data: bytes, model: Message, operators: tuple[Operator, ...], constants: dict[str, Tensor]
) -> dict[str, int]:
    grids = {
        name
        for operator in operators
        if operator.kind in ("QuantizeLinear", "DequantizeLinear")
        for name in operator.inputs[1:]
    }
    # The other way to say it: integers are cast, and multiplied by their scales.
    cast = {name for operator in operators if operator.kind == "Cast" for name in operator.outputs}
    grids |= {
        name
        for operator in operators
        if operator.kind == "Mul" and cast.intersection(operator.inputs)
        for name in operator.inputs
    }
    sections = {"weights": 0, "biases": 0, "quantisation": 0}
    for name, tensor in constants.items():
        part = "quantisation" if name in grids else "weights" if len(tensor.shape) > 1 else "biases"
        sections[part] += tensor.constant_bytes
    sections["metadata"] = sum(len(chunk) for chunk in model.chunks.get(_METADATA_PROPS, []))
    return {**sections, "graph": len(data) - sum(sections.values())}
