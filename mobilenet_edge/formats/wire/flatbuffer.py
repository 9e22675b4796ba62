"""A reader of flatbuffers that trusts nothing: every offset is checked, so a damaged file is a ValueError.

The layout is that of "FlatBuffer Internals" in the flatbuffers documentation: a table begins with the distance back to
its vtable, which holds the distance from the table to each field, 0 for one that is absent.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from mobilenet_edge.formats.wire.meter import Meter

# What a table counts for, beside its vectors: about the smallest there is with its vtable and the offset to it.
_TABLE_BYTES: Final = 64


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

    def number(self, field: int, form: str, default: int = 0) -> int:
        """A scalar field: `form` is the struct code of its type."""
        place = self._field(field)
        return int(_read(self.data, f"<{form}", place)) if place else default

    def table(self, field: int) -> Table | None:
        """A table field."""
        place = self._field(field)
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
        place = self._field(field)
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

    def _field(self, field: int) -> int:
        vtable = self.position - _read(self.data, "<i", self.position)
        if 4 + 2 * field >= _read(self.data, "<H", vtable):
            return 0
        offset = _read(self.data, "<H", vtable + 4 + 2 * field)
        return self.position + offset if offset else 0


def _read(data: bytes, form: str, place: int) -> int:
    if not 0 <= place <= len(data) - struct.calcsize(form):
        raise ValueError(f"an offset points to byte {place} of {len(data)}")
    return int(struct.unpack_from(form, data, place)[0])
