"""A reader of flatbuffers that trusts nothing: every offset is checked, so a damaged file is an `InvalidModel`.

The layout is that of "FlatBuffer Internals" in the flatbuffers documentation: a table begins with the distance back to
its vtable, which holds the distance from the table to each field, 0 for one that is absent.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from mobilenet_edge.device.faults import InvalidModel


@dataclass(frozen=True)
class Table:
    """A table at `position` in `data`."""

    data: bytes
    position: int

    @classmethod
    def root(cls, data: bytes) -> Table:
        """The root table."""
        return cls(data, _read(data, "I", 0))

    def place(self, field: int) -> int:
        """Where a field stands in the file, 0 for one that is absent."""
        vtable = self.position - _read(self.data, "i", self.position)
        if 4 + 2 * field >= _read(self.data, "H", vtable):
            return 0
        offset = _read(self.data, "H", vtable + 4 + 2 * field)
        return self.position + offset if offset else 0

    def number(self, field: int, form: str) -> int:
        """A scalar field: `form` is the struct code of its type."""
        place = self.place(field)
        return _read(self.data, form, place) if place else 0

    def span(self, field: int, item_size: int) -> tuple[int, int]:
        """Where the items of a vector begin, and how many there are."""
        place = self.place(field)
        if not place:
            return 0, 0
        start = place + _read(self.data, "I", place)
        length = _read(self.data, "I", start)
        if start + 4 + length * item_size > len(self.data):
            raise damaged(f"a list of {length} at byte {start} reaches past its end")
        return start + 4, length

    def integers(self, field: int) -> tuple[int, ...]:
        """A vector of int32."""
        start, length = self.span(field, 4)
        return struct.unpack_from(f"<{length}i", self.data, start)

    def text(self, field: int) -> str:
        """A string field."""
        start, length = self.span(field, 1)
        return self.data[start : start + length].decode("utf-8", "replace")

    def tables(self, field: int) -> list[Table]:
        """A vector of tables."""
        start, length = self.span(field, 4)
        return [Table(self.data, place + _read(self.data, "I", place)) for place in range(start, start + 4 * length, 4)]


def damaged(fact: str) -> InvalidModel:
    """Build the exception for a file that is not what it says."""
    return InvalidModel(f"the model is damaged: {fact}; export or copy it again")


def _read(data: bytes, form: str, place: int) -> int:
    if not 0 <= place <= len(data) - struct.calcsize("<" + form):
        raise damaged(f"an offset points to byte {place} of {len(data)}")
    return int(struct.unpack_from("<" + form, data, place)[0])
