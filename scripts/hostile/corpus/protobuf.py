"""Hostile .onnx files, by protobuf's wire format and the field numbers of onnx.proto3."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final

from corpus.case import EITHER, REFUSED, Case

# Field numbers whose values are messages again: of the model the graph, of it nodes, tensors and values, and so on.
SCHEMA: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph", 8: "opset", 14: "entry"},
    "graph": {1: "node", 5: "tensor", 11: "value", 12: "value"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor"},
    "value": {2: "type"},
    "type": {1: "of_tensor"},
    "of_tensor": {2: "shape"},
    "shape": {1: "side"},
}
LARGE: Final = 256
DIMS: Final = (1 << 62, (1 << 64) - 1, 100_000, 0)

Field = tuple[int, int, bytes]  # number, wire type, and what follows the key: the bytes of a chunk without their length


def varint(value: int) -> bytes:
    """Encode a number."""
    digits = []
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


def chunk(number: int, data: bytes) -> bytes:
    """Encode a field of bytes."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def scalar(number: int, value: int) -> bytes:
    """Encode a number's field."""
    return varint(number << 3) + varint(value)


def split(data: bytes) -> list[Field]:
    """Take a sound message apart."""
    found, place = [], 0
    while place < len(data):
        key, place = _number(data, place)
        if key & 7 == 2:
            size, place = _number(data, place)
            found.append((key >> 3, 2, data[place : place + size]))
            place += size
        elif key & 7 == 0:
            end = _number(data, place)[1]
            found.append((key >> 3, 0, data[place:end]))
            place = end
        else:
            size = 8 if key & 7 == 1 else 4
            found.append((key >> 3, key & 7, data[place : place + size]))
            place += size
    return found


def joined(fields: list[Field]) -> bytes:
    """Put a message together again."""
    return b"".join(
        chunk(number, data) if kind == 2 else varint(number << 3 | kind) + data for number, kind, data in fields
    )


def edited(data: bytes, path: tuple[int, ...], change: Callable[[bytes], bytes], which: int = 0) -> bytes:
    """Change what stands under a path of field numbers: of the last one the `which`-th, of the others the first."""
    fields = split(data)
    places = [index for index, (number, _, _) in enumerate(fields) if number == path[0]]
    place = places[which if len(path) == 1 else 0]
    number, kind, old = fields[place]
    fields[place] = (number, kind, change(old) if len(path) == 1 else edited(old, path[1:], change, which))
    return joined(fields)


def boundaries(data: bytes) -> tuple[list[int], list[range]]:
    """Where fields begin, and where the large constants are."""
    starts: list[int] = []
    large: list[range] = []
    _walk(data, 0, len(data), "model", starts, large)
    return starts, large


def dangling(name: str, data: bytes) -> Iterator[Case]:
    """Rename what operators read, write and are, leave parts out, and repeat them."""
    category, crash = "dangling indexes and offsets, loops", frozenset({0, 3, 6})
    nodes = sum(number == 1 for number, _, _ in split(_graph(data)))
    for node in range(0, nodes, 3):
        for number, title in ((1, "input"), (2, "output"), (4, "kind")):
            made = edited(data, (7, 1), lambda old, number=number: _renamed(old, number, b"nowhere"), node)
            yield Case(f"{title}{node}-{name}", category, made, EITHER, crash)
        # An operator that reads what it makes.
        made = edited(data, (7, 1), _looped, node)
        yield Case(f"loop{node}-{name}", category, made, EITHER, crash)
    for number, title in ((1, "nodes"), (5, "constants"), (11, "inputs"), (12, "outputs")):
        made = edited(data, (7,), lambda old, number=number: joined([f for f in split(old) if f[0] != number]))
        yield Case(f"without-{title}-{name}", category, made, REFUSED if number == 1 else EITHER, crash)
        made = edited(
            data, (7,), lambda old, number=number: joined([f for f in split(old) for _ in range(1 + (f[0] == number))])
        )
        yield Case(f"twice-{title}-{name}", category, made, EITHER, crash)


def dimensions(name: str, data: bytes) -> Iterator[Case]:
    """Give constants and inputs sizes that no memory holds."""
    category = "dimensions that no memory holds"
    constants = sum(number == 5 for number, _, _ in split(_graph(data)))
    for index in range(0, constants, 4):
        for dim in DIMS:
            made = edited(data, (7, 5), lambda old, dim=dim: _sized(old, dim), index)
            yield Case(f"dims{index}-{dim}-{name}", category, made, EITHER, frozenset({3}))
    for end, title in ((11, "input"), (12, "output")):
        for dim in DIMS:
            made = edited(data, (7, end), lambda old, dim=dim: edited(old, (2, 1, 2), lambda _: _shape(dim)))
            run = frozenset({3}) if dim > 1 << 60 or dim == 100_000 else frozenset({0, 3, 6})
            yield Case(f"{title}-{dim}-{name}", category, made, EITHER, run)
    yield Case("axes.onnx", category, _model(_tensor(b"x", scalar(1, 1 << 62) * 200_000, b"")), REFUSED)
    # 100 GB by one operator that fills a tensor: no shape in the file says so.
    yield Case("fill.onnx", category, _filling(25_000_000_000), EITHER, frozenset({3, 6}))


def lengths(name: str, data: bytes) -> Iterator[Case]:
    """Chunks longer than the file, numbers without an end, and messages within messages."""
    category = "lengths beyond the file"
    starts, _ = boundaries(data)
    for place in starts[:: max(1, len(starts) // 60)]:
        for title, bad in (
            ("endless", b"\xff" * 11),
            ("long", b"\x3a\xff\xff\xff\xff\x7f"),
            ("group", b"\x3b"),
            ("zero", b"\0\0"),
        ):
            yield Case(
                f"{title}{place}-{name}", category, data[:place] + bad + data[place:], EITHER, frozenset({0, 3, 6})
            )
    deep = b""
    for _ in range(20_000):
        deep = chunk(7, deep)
    yield Case(f"deep-{name}", category, data + deep, EITHER, frozenset({0, 3, 6}))
    yield Case("deep.onnx", category, deep, REFUSED)
    yield Case("nodes.onnx", "small files that grow when they are read", _model(chunk(1, b"") * 500_000), REFUSED)
    yield Case("values.onnx", "small files that grow when they are read", _model(chunk(11, b"") * 500_000), REFUSED)


def external(name: str, data: bytes) -> Iterator[Case]:
    """Constants that are said to be in another file: above the folder, at an absolute path, a device, or a link."""
    places = (
        "../../secret",
        "/etc/passwd",
        "/dev/zero",
        "sub/../../secret",
        "..\\secret",
        "file:" + "///etc/passwd",
        "missing.bin",
        "",
    )
    for place in places:
        for offset, length in ((0, 64), (0, 1 << 40), ((1 << 64) - 1, 8)):
            entries = ((b"location", place.encode()), (b"offset", b"%d" % offset), (b"length", b"%d" % length))
            outside = b"".join(chunk(13, chunk(1, key) + chunk(2, value)) for key, value in entries) + scalar(14, 1)
            made = edited(
                data, (7, 5), lambda old, outside=outside: joined([f for f in split(old) if f[0] != 9]) + outside
            )
            title = f"external-{place.replace('/', '_')}-{length}-{name}"
            yield Case(title, "external data outside the folder", made, EITHER, frozenset({3}))


def types(name: str, data: bytes) -> Iterator[Case]:
    """Swap the element types of constants and ends."""
    for index in range(0, sum(number == 5 for number, _, _ in split(_graph(data))), 5):
        for value in (0, 1, 3, 7, 8, 16, 99):
            made = edited(data, (7, 5), lambda old, value=value: _renumbered(old, 2, value), index)
            yield Case(f"type{index}-{value}-{name}", "types swapped inside", made, EITHER, frozenset({0, 3, 6}))
    for value in (0, 7, 8, 10, 99):
        made = edited(
            data, (7, 11), lambda old, value=value: edited(old, (2, 1), lambda inner: _renumbered(inner, 1, value))
        )
        yield Case(f"type-input-{value}-{name}", "types swapped inside", made, EITHER, frozenset({0, 3, 6}))


def grids(name: str, data: bytes) -> Iterator[Case]:
    """Scales that are no number, nothing, or below it: every constant of four bytes becomes one."""
    for scale in (float("nan"), float("inf"), 0.0, -1.0):
        fields = [
            (number, kind, _rescaled(old, scale) if number == 5 else old) for number, kind, old in split(_graph(data))
        ]
        made = edited(data, (7,), lambda _, fields=fields: joined(fields))
        yield Case(f"scale-{scale}-{name}", "scales that are no scales", made, EITHER, frozenset({0, 3, 6}))


def _number(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[place] & 0x7F) << shift
        shift += 7
        place += 1
        if data[place - 1] < 0x80:
            return value, place


def _walk(data: bytes, place: int, end: int, kind: str, starts: list[int], large: list[range]) -> None:
    while place < end:
        starts.append(place)
        key, place = _number(data, place)
        if key & 7 == 2:
            size, place = _number(data, place)
            inner = SCHEMA.get(kind, {}).get(key >> 3)
            if inner:
                _walk(data, place, place + size, inner, starts, large)
            elif size > LARGE:
                large.append(range(place, place + size))
            place += size
        elif key & 7 == 0:
            place = _number(data, place)[1]
        else:
            place += 8 if key & 7 == 1 else 4


def _graph(data: bytes) -> bytes:
    return next(inner for number, _, inner in split(data) if number == 7)


def _renamed(data: bytes, number: int, name: bytes) -> bytes:
    return joined([(each, kind, name if each == number else old) for each, kind, old in split(data)])


def _looped(data: bytes) -> bytes:
    made = next((old for number, _, old in split(data) if number == 2), b"")
    return _renamed(data, 1, made)


def _renumbered(data: bytes, number: int, value: int) -> bytes:
    return joined(
        [(each, kind, varint(value) if (each, kind) == (number, 0) else old) for each, kind, old in split(data)]
    )


def _sized(data: bytes, dim: int) -> bytes:
    """A tensor with other dimensions, as many as it had."""
    fields = [each for each in split(data) if each[0] != 1]
    return scalar(1, dim) * 4 + joined(fields)


def _shape(dim: int) -> bytes:
    return chunk(1, scalar(1, dim)) * 4


def _rescaled(data: bytes, scale: float) -> bytes:
    return joined([(n, k, struct.pack("<f", scale) if n == 9 and len(old) == 4 else old) for n, k, old in split(data)])


def _tensor(name: bytes, dims: bytes, raw: bytes) -> bytes:
    return chunk(5, dims + scalar(2, 1) + chunk(8, name) + chunk(9, raw))


def _model(graph: bytes) -> bytes:
    node = chunk(1, chunk(1, b"x") + chunk(2, b"y") + chunk(4, b"Relu"))
    ends = chunk(11, _value(b"x", 4)) + chunk(12, _value(b"y", 4))
    return scalar(1, 8) + chunk(7, node + graph + chunk(2, b"g") + ends) + chunk(8, chunk(1, b"") + scalar(2, 13))


def _value(name: bytes, side: int) -> bytes:
    shape = chunk(2, chunk(1, scalar(1, side)))
    return chunk(1, name) + chunk(2, chunk(1, scalar(1, 1) + shape))


def _filling(count: int) -> bytes:
    shape = chunk(5, scalar(1, 1) + scalar(2, 7) + chunk(8, b"s") + chunk(9, struct.pack("<q", count)))
    fill = chunk(1, chunk(1, b"s") + chunk(2, b"f") + chunk(4, b"ConstantOfShape"))
    total = chunk(1, chunk(1, b"f") + chunk(2, b"t") + chunk(4, b"ReduceSum"))
    add = chunk(1, chunk(1, b"x") + chunk(1, b"t") + chunk(2, b"y") + chunk(4, b"Add"))
    graph = fill + total + add + chunk(2, b"g") + shape + chunk(11, _value(b"x", 1)) + chunk(12, _value(b"y", 1))
    return scalar(1, 8) + chunk(7, graph) + chunk(8, chunk(1, b"") + scalar(2, 13))
