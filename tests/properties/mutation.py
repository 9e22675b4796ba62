"""Damage done to valid inputs along their own structure: what a reader gets to see from a bad disk, or a bad person.

Bytes changed at random are refused at the first check. So each format is changed where it means something: an offset of
a flatbuffer, a field of a protobuf, a value of JSON or TOML, the directory of a zip. Every choice is asked of a
`random.Random`, which may be Hypothesis's own, so that what is found gets smaller, or that of another fuzzer.
"""

from __future__ import annotations

import copy
import io
import json
import struct
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import Any, Final

Mutate = Callable[[bytes, Random], bytes]

HUGE: Final = 10**400  # no double holds it, and JSON and TOML do
NUMBERS: Final = (0, 1, -1, 2, 3, 127, 128, 255, 256, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
TEXTS: Final = (
    "", " ", "x", "\n", "\0", "\x1b[31m", "\ud800", "é", "a" * 5000, "../../x", "/", "1e400", "|", "*", "[", "nan",
    "mobilenet_v1-a9.99-r1", "mobilenet_v1-a0.50-r160", "int8", "50MB", "20 ms", "5%", "+5%",
)  # fmt: skip
VALUES: Final = (
    None, True, False, *NUMBERS, -(2**63), HUGE, -HUGE, 0.5, -0.5, -0.0, 1e-320, 1e308, float("inf"), *TEXTS,
    [], [[]], [None], [1], [0.5, 1], ["a", "b"], {}, {"a": 1}, {"": {}},
)  # fmt: skip


def several(change: Callable[[Any, Random], Any], data: Any, chance: Random, most: int = 4) -> Any:
    """Change something once or a few times."""
    for _ in range(min(most, chance.choice((1, 1, 1, 2, 4)))):
        data = change(data, chance)
    return data


# Bytes


def scatter(data: bytes, chance: Random) -> bytes:
    """Change a byte, cut, double or drop a piece."""
    if not data:
        return b"\xff"
    place = chance.randrange(len(data))
    size = chance.choice((1, 2, 4, 64))
    piece = data[place : place + size]
    return chance.choice(
        (
            data[:place] + bytes([chance.choice((0, 1, 0x7F, 0x80, 0xFF))]) + data[place + 1 :],
            data[:place],
            data[:place] + piece + data[place:],
            data[:place] + data[place + size :],
            data + piece,
        )
    )


def words(data: bytes, chance: Random, places: tuple[int, ...]) -> bytes:
    """Write a number, or one that leads somewhere in the file, at one of some places."""
    place = chance.choice(places)
    form = chance.choice("bhiiq")
    size = struct.calcsize(form)
    if place + size > len(data):
        return data
    bits = 8 * size
    near = len(data) - place + chance.choice((-4, -1, 0, 1))
    value = chance.choice((*NUMBERS, near, -place, chance.randrange(len(data)))) & ((1 << bits) - 1)
    return data[:place] + value.to_bytes(size, "little") + data[place + size :]


def flatbuffer(data: bytes, chance: Random) -> bytes:
    """Change words of a .tflite file: half of them are small numbers, as offsets, lengths and indexes are."""
    found = struct.unpack_from(f"<{len(data) // 4}I", data)
    small = tuple(4 * index for index, value in enumerate(found) if 0 < value < len(data))
    every = tuple(range(0, len(data) - 1, 2))
    return words(data, chance, chance.choice((small or every, every)))


def tflite(data: bytes, chance: Random) -> bytes:
    """Change a .tflite file: its flatbuffer most often, or the zip behind it."""
    return several(chance.choice((flatbuffer, flatbuffer, flatbuffer, directory, scatter)), data, chance)


# Zips


def directory(data: bytes, chance: Random) -> bytes:
    """Change a header of a zip."""
    headers = [place for mark in (b"PK\3\4", b"PK\1\2", b"PK\5\6") for place in _all(data, mark)]
    if not headers:
        return scatter(data, chance)
    start = chance.choice(headers)
    return words(data, chance, tuple(range(start, min(start + 46, len(data)))))


def keras(data: bytes, chance: Random) -> bytes:
    """Change a .keras file: its zip, or the architecture in it."""
    kind = chance.choice((directory, scatter, _architecture))
    return kind(data, chance) if kind is _architecture else several(kind, data, chance)


def _architecture(data: bytes, chance: Random) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.endswith(".json"):
                content = document(content, chance)
            new.writestr(zipfile.ZipInfo(entry.filename), content)
    return made.getvalue()


def _all(data: bytes, mark: bytes) -> Iterator[int]:
    place = data.find(mark)
    while place >= 0:
        yield place
        place = data.find(mark, place + 1)


# Protobufs


@dataclass(frozen=True)
class Field:
    """A field of a message: a number, bytes, or where `SHAPE` says so fields of its own."""

    number: int
    kind: int
    value: Any


# Messages within messages of onnx.proto3, by field number: what may be changed with its lengths kept right.
_TENSOR: Final[Mapping[int, Any]] = {}
_ATTRIBUTE: Final = {5: _TENSOR}
_VALUE: Final = {2: {1: {2: {1: {}}}}}
SHAPE: Final = {7: {1: {5: _ATTRIBUTE}, 5: _TENSOR, 11: _VALUE, 12: _VALUE}, 8: {}, 14: {}}


def onnx(data: bytes, chance: Random) -> bytes:
    """Change a .onnx file: a field somewhere in its tree most often, or bytes."""
    if chance.randrange(8) == 0:
        return several(scatter, data, chance)
    return _encoded(several(_grafted, _decoded(data, SHAPE), chance))


def _grafted(fields: tuple[Field, ...], chance: Random) -> tuple[Field, ...]:
    if not fields:
        return (Field(chance.randint(1, 20), 2, b"x"),)
    place = chance.randrange(len(fields))
    here = fields[place]
    if isinstance(here.value, tuple) and chance.randrange(4):
        made: tuple[Field, ...] = (replace(here, value=_grafted(here.value, chance)),)
    else:
        made = chance.choice((_dropped, _doubled, _renumbered, _revalued, _revalued, _moved))(here, fields, chance)
    return (*fields[:place], *made, *fields[place + 1 :])


def _dropped(here: Field, fields: tuple[Field, ...], chance: Random) -> tuple[Field, ...]:
    return ()


def _doubled(here: Field, fields: tuple[Field, ...], chance: Random) -> tuple[Field, ...]:
    return (here, here)


def _renumbered(here: Field, fields: tuple[Field, ...], chance: Random) -> tuple[Field, ...]:
    return (replace(here, number=chance.choice((1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 14, 20, 2**28))),)


def _moved(here: Field, fields: tuple[Field, ...], chance: Random) -> tuple[Field, ...]:
    return (here, replace(chance.choice(fields), number=here.number))


def _revalued(here: Field, fields: tuple[Field, ...], chance: Random) -> tuple[Field, ...]:
    if here.kind == 0:
        return (replace(here, value=chance.choice(NUMBERS)),)
    held = here.value if isinstance(here.value, bytes) else _encoded(here.value)
    texts = [text.encode("utf-8", "surrogatepass") for text in TEXTS]
    return (replace(here, value=chance.choice((b"", held[:-1], scatter(held, chance), *texts))),)


def _decoded(data: bytes, shape: Mapping[int, Any]) -> tuple[Field, ...]:
    fields, place = [], 0
    while place < len(data):
        key, place = _number(data, place)
        number, kind = key >> 3, key & 7
        value: Any
        value, place = _number(data, place)
        if kind == 5:  # four bytes, of which the number was taken for one
            raise AssertionError("the seeds hold no fixed-size field outside of packed ones")
        if kind == 2:
            chunk, place = data[place : place + value], place + value
            value = _decoded(chunk, shape[number]) if number in shape else chunk
        fields.append(Field(number, kind, value))
    return tuple(fields)


def _encoded(fields: tuple[Field, ...]) -> bytes:
    made = bytearray()
    for each in fields:
        made += _varint(each.number << 3 | each.kind)
        if each.kind == 2:
            chunk = _encoded(each.value) if isinstance(each.value, tuple) else each.value
            made += _varint(len(chunk)) + chunk
        else:
            made += _varint(each.value)
    return bytes(made)


def _number(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while data[place] & 0x80:
        value |= (data[place] & 0x7F) << shift
        place, shift = place + 1, shift + 7
    return value | data[place] << shift, place + 1


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # -1 is all ones, as in a file
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


# Trees: JSON and TOML


def document(data: bytes, chance: Random) -> bytes:
    """Change values, keys and the shape of a JSON document, or now and then its bytes."""
    if chance.randrange(8) == 0:
        return several(scatter, data, chance)
    # Infinity is no JSON, but 1e400 is, and means the same.
    text = json.dumps(several(tree, json.loads(data), chance)).replace("Infinity", "1e400")
    return text.encode()


def nested(data: bytes, chance: Random) -> bytes:
    """Put brackets around a JSON document, or around nothing, deeper than any parser goes."""
    depth = chance.choice((10, 100_000))
    return b"[" * depth + chance.choice((data, b"")) + b"]" * chance.choice((0, depth))


def tree(whole: Any, chance: Random) -> Any:
    """Change one place of a tree of dictionaries and lists."""
    whole = copy.deepcopy(whole)
    places = list(_places(whole))
    if not places:
        return chance.choice(VALUES)
    holder, key = chance.choice(places)
    kind = chance.choice(("value", "value", "value", "drop", "other", "wrap", "rename"))
    if kind == "value":
        holder[key] = chance.choice(VALUES)
    elif kind == "drop":
        del holder[key]
    elif kind == "other":
        other, there = chance.choice(places)
        holder[key] = copy.deepcopy(other[there])
    elif kind == "wrap":
        holder[key] = chance.choice(([holder[key]], {"x": holder[key]}))
    elif isinstance(holder, dict):
        holder[chance.choice(("x", "", "schema_version", "kind", f"{key}s"))] = holder.pop(key)
    return whole


def _places(whole: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(whole) if isinstance(whole, dict) else range(len(whole)) if isinstance(whole, list) else ()
    for key in keys:
        yield whole, key
        yield from _places(whole[key])


def toml(data: bytes, chance: Random) -> bytes:
    """Change values and keys of a TOML file, or now and then its bytes."""
    if chance.randrange(4) == 0:
        return several(scatter, data, chance)
    whole = several(tree, tomllib.loads(data.decode()), chance)
    if not isinstance(whole, dict):
        return _toml(whole).encode("utf-8", "surrogatepass")
    lines = [f"{json.dumps(key)} = {_toml(value)}" for key, value in whole.items()]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if value is None:
        return date(2020, 2, 29).isoformat()  # TOML has no null, but values that JSON has not
    # A lone surrogate as it is: TOML's escapes refuse it.
    return str(value) if isinstance(value, float) else json.dumps(value, ensure_ascii="\ud800" not in str(value))


# Lines


def text(data: bytes, chance: Random) -> bytes:
    """Change characters of a text."""
    held = data.decode()
    place = chance.randrange(len(held) + 1)
    piece = chance.choice((*TEXTS, *"0123456789.,%/+-eEkKmMgGiIbBsSuhn ", "٣", "²", "_"))
    made = held[:place] + piece + held[place + chance.randrange(2) :]
    return made.encode("utf-8", "surrogatepass")
