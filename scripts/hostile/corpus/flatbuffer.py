"""Hostile .tflite files, by the layout of flatbuffers: every table, field and vector of a sound one is found first."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from corpus.case import EITHER, REFUSED, Case

# Of schema.fbs what a MobileNet has: field number -> name and kind. A kind is a table's name, a list of one, or the
# struct code of a vector's items.
SCHEMA: Final[dict[str, dict[int, tuple[str, Any]]]] = {
    "Model": {
        1: ("codes", ["Code"]), 2: ("subgraphs", ["Subgraph"]), 3: ("description", "B"), 4: ("buffers", ["Buffer"]),
    },
    "Code": {1: ("custom", "B")},
    "Buffer": {0: ("data", "B")},
    "Subgraph": {0: ("tensors", ["Tensor"]), 1: ("inputs", "i"), 2: ("outputs", "i"), 3: ("operators", ["Operator"])},
    "Tensor": {0: ("shape", "i"), 3: ("name", "B"), 4: ("quantisation", "Grid"), 7: ("signature", "i")},
    "Grid": {2: ("scales", "f"), 3: ("zeros", "q")},
    "Operator": {1: ("inputs", "i"), 2: ("outputs", "i")},
}  # fmt: skip
LARGE: Final = 256
FAR: Final = (0, 1, 3, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
DIMS: Final = (-1, -(1 << 31), (1 << 31) - 1, 0, 1 << 16)


@dataclass
class Map:
    """Where things are in a flatbuffer.

    Attributes:
        tables: Position and kind of each table.
        offsets: Position of each 32-bit offset, and what it leads to.
        vectors: Kind of its owner, name, position of the length, item size and length.
    """

    data: bytes
    tables: list[tuple[int, str]] = field(default_factory=list)
    offsets: list[tuple[int, str]] = field(default_factory=list)
    vectors: list[tuple[str, str, int, int, int]] = field(default_factory=list)

    def u32(self, place: int) -> int:
        return int(struct.unpack_from("<I", self.data, place)[0])

    def table(self, place: int, kind: str) -> None:
        """Walk a table."""
        self.tables.append((place, kind))
        vtable = place - struct.unpack_from("<i", self.data, place)[0]
        size = struct.unpack_from("<H", self.data, vtable)[0]
        for number, (name, inner) in SCHEMA[kind].items():
            entry = 4 + 2 * number
            at = struct.unpack_from("<H", self.data, vtable + entry)[0] if entry < size else 0
            if at:
                self.offsets.append((place + at, f"{kind}.{name}"))
                self._follow(place + at, kind, name, inner)

    def _follow(self, place: int, kind: str, name: str, inner: Any) -> None:
        target = place + self.u32(place)
        if isinstance(inner, str) and inner in SCHEMA:
            self.table(target, inner)
            return
        length = self.u32(target)
        self.vectors.append((kind, name, target, 4 if isinstance(inner, list) else struct.calcsize(inner), length))
        if isinstance(inner, list):
            for index in range(length):
                item = target + 4 + 4 * index
                self.offsets.append((item, f"{kind}.{name}[]"))
                self.table(item + self.u32(item), inner[0])

    def boundaries(self) -> list[int]:
        """Every place where a part begins or ends."""
        found = [0, 4, 8, *(place for place, _ in self.tables)]
        for _, _, place, size, length in self.vectors:
            found += [place, place + 4, place + 4 + size * length]
        return found

    def weights(self) -> list[range]:
        """The large constants."""
        spans = (range(place + 4, place + 4 + size * length) for _, _, place, size, length in self.vectors)
        return [span for span in spans if len(span) > LARGE]

    def named(self, kind: str, name: str) -> list[tuple[int, int]]:
        """Position and length of every vector of one name."""
        return [(place, length) for owner, own, place, _, length in self.vectors if (owner, own) == (kind, name)]


def survey(data: bytes) -> Map:
    """Find everything in a sound file."""
    found = Map(data)
    found.table(found.u32(0), "Model")
    return found


def changed(data: bytes, place: int, form: str, *values: float) -> bytes:
    """Write numbers over a place."""
    made = bytearray(data)
    struct.pack_into(f"<{form}", made, place, *values)
    return bytes(made)


def dangling(name: str, data: bytes) -> Iterator[Case]:
    """Lead every tenth offset to nowhere, out of the file, and back to the root; and every kind of index."""
    found, category = survey(data), "dangling indexes and offsets, loops"
    crash = frozenset({0, 3, 6})
    for number, (place, what) in enumerate(found.offsets):
        if number % 10 and what.endswith("[]"):
            continue
        for far in FAR:
            yield Case(f"{what}-{place}-{far:x}-{name}", category, changed(data, place, "I", far), EITHER, crash)
    for place, kind in found.tables[:: max(1, len(found.tables) // 60)]:
        for back in (0, place, -1, place - found.u32(0)):
            yield Case(f"vtable-{kind}-{place}-{back}-{name}", category, changed(data, place, "i", back), EITHER, crash)
    for kind, own in (("Operator", "inputs"), ("Operator", "outputs"), ("Subgraph", "inputs"), ("Subgraph", "outputs")):
        for place, _ in found.named(kind, own)[:4]:
            # -1 stands for an optional input that is left out.
            for index, codes in (
                (-2, REFUSED),
                (1 << 20, REFUSED),
                ((1 << 31) - 1, REFUSED),
                (-1, EITHER),
                (0, EITHER),
            ):
                made = changed(data, place + 4, "i", index)
                yield Case(f"index-{kind}-{own}-{place}-{index}-{name}", category, made, codes, crash)


def dimensions(name: str, data: bytes) -> Iterator[Case]:
    """Give tensors sizes that no memory holds, and vectors lengths that no file has."""
    found = survey(data)
    for place, length in found.named("Tensor", "shape"):
        if length < 2:
            continue
        for dim in DIMS:
            made = changed(data, place + 4, f"{length}i", *[dim] * length)
            # One side alone may be open, or a lie that changes nothing.
            run = frozenset({3}) if dim == (1 << 31) - 1 else frozenset({0, 3, 6})
            yield Case(f"dims-{place}-{dim}-{name}", "dimensions that no memory holds", made, EITHER, run)
    for kind, own, place, _, _ in found.vectors[:: max(1, len(found.vectors) // 80)]:
        for length in (0x7FFFFFFF, 0xFFFFFFFF, len(data)):
            made = changed(data, place, "I", length)
            codes = EITHER if own == "description" else REFUSED
            yield Case(f"length-{kind}-{own}-{place}-{length}-{name}", "lengths beyond the file", made, codes)


def types(name: str, data: bytes) -> Iterator[Case]:
    """Swap the element types of tensors, and the kinds of operators."""
    found = survey(data)
    for place, kind in found.tables:
        at = _scalar(found, place, {"Tensor": 1, "Code": 0}.get(kind))
        if at is None:
            continue
        for value in (0, 2, 3, 5, 9, 13, 17, 127):
            made = changed(data, at, "b", value)
            yield Case(
                f"type-{kind}-{place}-{value}-{name}", "types swapped inside", made, EITHER, frozenset({0, 3, 6})
            )


def grids(name: str, data: bytes) -> Iterator[Case]:
    """Scales that are no number, nothing, or below it."""
    for place, _ in survey(data).named("Grid", "scales")[:8]:
        for scale in (float("nan"), float("inf"), 0.0, -1.0, 1e-45):
            codes = REFUSED if scale != scale or scale == float("inf") else EITHER
            made = changed(data, place + 4, "f", scale)
            yield Case(f"scale-{place}-{scale}-{name}", "scales that are no scales", made, codes, frozenset({0, 3, 6}))


def amplified() -> Iterator[Case]:
    """Small files that lead to the same part again and again, so that reading them whole would take memory or hours."""
    category = "small files that grow when they are read"
    for tensors, sides in ((2000, 200_000), (200_000, 4), (1000, 60_000)):
        yield Case(f"shared-{tensors}-{sides}.tflite", category, _shared(tensors, sides), REFUSED)


def _shared(tensors: int, sides: int) -> bytes:
    """A model whose tensors are all one and the same table, with a shape of `sides` axes; offsets lead forward only."""
    of_model, of_graph, of_tensor, of_buffer = 8, 22, 28, 34
    model = 40
    graphs = model + 12
    buffers = graphs + 8
    buffer = buffers + 8
    graph = buffer + 4
    items = graph + 8
    tensor = items + 4 + 4 * tensors
    shape = tensor + 8
    out = bytearray(struct.pack("<I4s", model, b"TFL3"))
    # The vtables: their size, that of the table, and where in it each field is.
    out += struct.pack("<7H3H3H2H2x", 14, 12, 0, 0, 4, 0, 8, 6, 8, 4, 6, 8, 4, 4, 4)
    out += struct.pack("<iII", model - of_model, graphs - (model + 4), buffers - (model + 8))
    out += struct.pack("<IIII", 1, graph - (graphs + 4), 1, buffer - (buffers + 4))
    out += struct.pack("<i", buffer - of_buffer)
    out += struct.pack("<iI", graph - of_graph, items - (graph + 4))
    out += struct.pack("<I", tensors) + b"".join(
        struct.pack("<I", tensor - (items + 4 + 4 * i)) for i in range(tensors)
    )
    out += struct.pack("<iI", tensor - of_tensor, shape - (tensor + 4))
    return bytes(out + struct.pack("<I", sides) + struct.pack("<i", 1) * sides)


def _scalar(found: Map, place: int, number: int | None) -> int | None:
    if number is None:
        return None
    vtable = place - struct.unpack_from("<i", found.data, place)[0]
    size = struct.unpack_from("<H", found.data, vtable)[0]
    at = struct.unpack_from("<H", found.data, vtable + 4 + 2 * number)[0] if 4 + 2 * number < size else 0
    return place + at if at else None
