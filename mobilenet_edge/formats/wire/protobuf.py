"""Read and write protobuf's wire format. A damaged message is a ValueError.

The encoding is that of "Encoding" in the protobuf documentation: keys of field number and wire type, varints,
length-delimited bytes. Enough to read and write an ONNX model without the onnx package, which a device does not have.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from mobilenet_edge.formats.wire.meter import Meter

# What a chunk counts for: an operator of no name and no kind is two bytes, and hundreds in memory.
_CHUNK_BYTES: Final = 16

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT: Final = 10


@dataclass(frozen=True)
class Message:
    """The fields of one message: numbers and byte strings by field number, in order.

    Attributes:
        data: The message's bytes.
        meter: Of the whole file.
        numbers: Varints and fixed-size values, as unsigned integers.
        chunks: Length-delimited values.
    """

    data: memoryview
    meter: Meter
    numbers: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    chunks: dict[int, list[memoryview]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def parse(cls, data: bytes | memoryview, meter: Meter | None = None) -> Message:
        """Split a message into its fields, one level deep; without a meter it is a whole file."""
        message = cls(memoryview(data), meter or Meter(len(data)))
        place = 0
        while place < len(message.data):
            place = message._take(place)
        return message

    def message(self, number: int) -> Message | None:
        """The last message in a field, as protobuf reads a singular one."""
        chunks = self.chunks.get(number)
        return Message.parse(chunks[-1], self.meter) if chunks else None

    def messages(self, number: int) -> list[Message]:
        """Every message in a repeated field."""
        return [Message.parse(chunk, self.meter) for chunk in self.chunks.get(number, [])]

    def number(self, number: int, default: int = 0) -> int:
        """A scalar field."""
        return self.numbers[number][-1] if self.numbers.get(number) else default

    def text(self, number: int) -> str:
        """A string field."""
        chunks = self.chunks.get(number)
        return bytes(chunks[-1]).decode("utf-8", "replace") if chunks else ""

    def texts(self, number: int) -> tuple[str, ...]:
        """A repeated string field."""
        return tuple(bytes(chunk).decode("utf-8", "replace") for chunk in self.chunks.get(number, []))

    def varints(self, number: int) -> list[int]:
        """A repeated integer field, packed or not."""
        values = list(self.numbers.get(number, []))
        for chunk in self.chunks.get(number, []):
            place = 0
            while place < len(chunk):
                value, place = _varint(chunk, place)
                values.append(value)
        return values

    def _take(self, place: int) -> int:
        key, place = _varint(self.data, place)
        number, kind = key >> 3, key & 7
        if not number:
            raise ValueError(f"field 0 at byte {place}")
        if kind == _VARINT:
            value, place = _varint(self.data, place)
            self.numbers[number].append(value)
            return place
        if kind == _BYTES:
            size, place = _varint(self.data, place)
            self.meter.take(_CHUNK_BYTES)
            self.chunks[number].append(_slice(self.data, place, size))
            return place + size
        if kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
            self.numbers[number].append(int.from_bytes(_slice(self.data, place, size), "little"))
            return place + size
        raise ValueError(f"wire type {kind} at byte {place}")


def chunk(field: int, data: bytes) -> bytes:
    """Encode a length-delimited field: bytes or a message."""
    return _encode_varint(field << 3 | _BYTES) + _encode_varint(len(data)) + data


def text(field: int, text: str) -> bytes:
    """Encode a string field."""
    return chunk(field, text.encode())


def number(field: int, value: int) -> bytes:
    """Encode an integer field that is not negative."""
    return _encode_varint(field << 3 | _VARINT) + _encode_varint(value)


def _encode_varint(value: int) -> bytes:
    digits = bytearray([value & 0x7F])
    while value > 0x7F:
        value >>= 7
        digits[-1] |= 0x80
        digits.append(value & 0x7F)
    return bytes(digits)


def floats(chunk: memoryview) -> tuple[float, ...]:
    """Little-endian float32 values."""
    return struct.unpack(f"<{len(chunk) // 4}f", chunk[: len(chunk) // 4 * 4])


def signed(value: int) -> int:
    """Read an int64 field: negative numbers are stored as their two's complement."""
    return value - (1 << 64) if value >= 1 << 63 else value


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for index in range(_MAX_VARINT):
        if place + index >= len(data):
            raise ValueError(f"a number is cut off at byte {place}")
        byte = data[place + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, place + index + 1
    raise ValueError(f"a number at byte {place} has no end")


def _slice(data: memoryview, place: int, size: int) -> memoryview:
    if size > len(data) - place:
        raise ValueError(f"a field of {size} bytes at byte {place} reaches past the end")
    return data[place : place + size]
