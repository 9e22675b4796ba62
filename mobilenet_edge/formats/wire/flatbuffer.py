"""Read and write flatbuffers. Every offset that is read is checked, so a damaged file is a ValueError.

The layout is that of "FlatBuffer Internals" in the flatbuffers documentation: a table begins with the distance back to
its vtable, which holds the distance from the table to each field, 0 for one that is absent.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from mobilenet_edge.formats.wire.meter import Meter

# What a table counts for, beside its vectors: about the smallest there is with its vtable and the offset to it.
_TABLE_BYTES: Final = 64
# The code of a field that refers to a vector or table; all others are codes of the struct module.
OFFSET: Final = "offset"


@dataclass(frozen=True)
class Table:
    """A table at `position` in `data`."""

    data: bytes
    position: int
    meter: Meter = field(repr=False, compare=False)

    @classmethod
    def root(cls, data: bytes) -> Table:
        """The root table."""
        return cls(data, _read(data, "<I", 0), Meter(len(data)))

    def place(self, field: int) -> int:
        """Position of a field in the file, 0 for one that is absent."""
        vtable = self.position - _read(self.data, "<i", self.position)
        if 4 + 2 * field >= _read(self.data, "<H", vtable):
            return 0
        offset = _read(self.data, "<H", vtable + 4 + 2 * field)
        return self.position + offset if offset else 0

    def number(self, field: int, form: str, default: int = 0) -> int:
        """A scalar field: `form` is the struct code of its type."""
        place = self.place(field)
        return int(_read(self.data, f"<{form}", place)) if place else default

    def table(self, field: int) -> Table | None:
        """A table field."""
        place = self.place(field)
        return self._at(self._follow(place)) if place else None

    def text(self, field: int) -> str:
        """A string field."""
        start, length = self.span(field, 1)
        self.meter.take(length)
        return self.data[start : start + length].decode("utf-8", "replace")

    def numbers(self, field: int, form: str) -> tuple[int, ...]:
        """A vector of scalars."""
        size = struct.calcsize(f"<{form}")
        start, length = self.span(field, size)
        self.meter.take(length * size)
        return struct.unpack_from(f"<{length}{form}", self.data, start)

    def tables(self, field: int) -> list[Table]:
        """A vector of tables."""
        start, length = self.span(field, 4)
        return [self._at(self._follow(start + 4 * index)) for index in range(length)]

    def span(self, field: int, item_size: int) -> tuple[int, int]:
        """Where a vector's items begin and how many there are."""
        place = self.place(field)
        if not place:
            return 0, 0
        start = self._follow(place)
        length = _read(self.data, "<I", start)
        if start + 4 + length * item_size > len(self.data):
            raise ValueError(f"a vector of {length} items at byte {start} reaches past the end of the file")
        return start + 4, length

    def _at(self, position: int) -> Table:
        self.meter.take(_TABLE_BYTES)
        return Table(self.data, position, self.meter)

    def _follow(self, place: int) -> int:
        return place + int(_read(self.data, "<I", place))


class Builder:
    """Writes a flatbuffer from its end to its beginning, the same bytes as the `flatbuffers` package.

    Vectors and tables are referred to by their offset, which is counted from the end of the file.

    Args:
        tail: A flatbuffer to write in front of, which tables may refer to. Its length is a multiple of the greatest
            alignment in it, as is the alignment of one vector at least: its items then stay aligned.
    """

    def __init__(self, tail: bytes = b"") -> None:
        self._parts: list[bytes] = [tail]
        self._size = len(tail)
        self._alignment = 1
        self._vtables: dict[bytes, int] = {}

    def vector(self, data: bytes, length: int, alignment: int = 1) -> int:
        """Write a vector of `length` scalars and return its offset; `data` begins on a multiple of `alignment`."""
        self._pad(4, len(data))
        self._pad(alignment, len(data))
        self._write(data)
        return self._write(struct.pack("<I", length))

    def string(self, text: str) -> int:
        """Write a string and return its offset."""
        data = text.encode()
        return self.vector(data + b"\0", len(data))

    def numbers(self, form: str, values: Sequence[float]) -> int:
        """Write a vector of scalars of one struct code and return its offset."""
        return self.vector(struct.pack(f"<{len(values)}{form}", *values), len(values), struct.calcsize(f"<{form}"))

    def offsets(self, offsets: Sequence[int]) -> int:
        """Write a vector of tables and return its offset."""
        self._pad(4, 4 * len(offsets))
        first = self._size + 4 * len(offsets)
        return self.numbers("I", [first - 4 * index - offset for index, offset in enumerate(offsets)])

    def table(self, fields: Iterable[tuple[int, str, float]]) -> int:
        """Write a table and return its offset.

        Args:
            fields: Number, struct code or `OFFSET`, and value of each field, the last in the file first.
        """
        end = self._size
        places: dict[int, int] = {}
        for number, form, value in fields:
            code = "<I" if form == OFFSET else f"<{form}"
            self._pad(struct.calcsize(code))
            stored = self._size + 4 - value if form == OFFSET else value
            places[number] = self._write(struct.pack(code, stored))
        self._pad(4)
        position = self._size + 4
        count = max(places, default=-1) + 1
        distances = [position - places.get(number, position) for number in range(count)]
        vtable = struct.pack(f"<{2 + count}H", 4 + 2 * count, position - end, *distances)
        known = vtable in self._vtables
        place = self._vtables.setdefault(vtable, position + len(vtable))
        self._write(struct.pack("<i", place - position))
        if not known:
            self._write(vtable)
        return position

    def finish(self, root: int, identifier: bytes) -> bytes:
        """Return the file, of the root table's offset and a 4-byte file identifier."""
        self._pad(self._alignment, 8)
        self._write(identifier)
        self._write(struct.pack("<I", self._size + 4 - root))
        return b"".join(reversed(self._parts))

    def _pad(self, alignment: int, size: int = 0) -> None:
        """Align the position before `size` more bytes."""
        self._alignment = max(self._alignment, alignment)
        self._write(bytes(-(self._size + size) % alignment))

    def _write(self, data: bytes) -> int:
        self._parts.append(data)
        self._size += len(data)
        return self._size


def _read(data: bytes, form: str, place: int) -> int:
    if not 0 <= place <= len(data) - struct.calcsize(form):
        raise ValueError(f"an offset points to byte {place} of {len(data)}")
    return int(struct.unpack_from(form, data, place)[0])
