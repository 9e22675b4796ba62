"""Hostile zips: behind a .tflite with its metadata, and as a .keras."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from corpus.case import EITHER, REFUSED, Case

METADATA: Final = "mobilenet_edge.json"
LABELS: Final = "labels.txt"
CONFIG: Final = "config.json"
OUTSIDE: Final = (
    "../outside.json",
    "/etc/outside",
    "a/../../outside",
    "..\\outside",
    "C:\\outside",
    "x\0y",
    "\x1b[31m",
    "a" * 60000,
)
BOMB: Final = 32 << 20

Members = list[tuple[str, bytes]]


def members(data: bytes) -> Members:
    """Read every member of a sound file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(entry.filename, archive.read(entry)) for entry in archive.infolist()]


def prefix(data: bytes) -> bytes:
    """What stands before the zip: the flatbuffer of a .tflite."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return data[: min(entry.header_offset for entry in archive.infolist())]


def packed(before: bytes, held: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Write a zip behind something else, the same bytes for the same members."""
    out = io.BytesIO(before)
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a", method) as archive:
        for name, data in held:
            entry = zipfile.ZipInfo(name)
            # Only what must be small is packed: weights would take their time.
            entry.compress_type = method if len(data) < 1 << 16 or len(data) >= BOMB - 8 else zipfile.ZIP_STORED
            archive.writestr(entry, data, compresslevel=1)
    return out.getvalue()


def boundaries(data: bytes) -> list[int]:
    """Where headers, members and the directory begin and end."""
    found = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            start = entry.header_offset
            extra = sum(struct.unpack_from("<HH", data, start + 26))
            found += [start, start + 30, start + 30 + extra, start + 30 + extra + entry.compress_size]
        return [*found, archive.start_dir, len(data) - 22, len(data) - 4]


def weights(data: bytes) -> list[range]:
    """The large members but for what is read as text."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        large = [each for each in archive.infolist() if each.compress_size > 1 << 16]
    return [range(each.header_offset + 64, each.header_offset + each.compress_size) for each in large]


def hostile(name: str, data: bytes) -> Iterator[Case]:
    """Names that lead outside, members that are there twice, and members that unpack to hundreds of megabytes."""
    held, before = members(data), prefix(data)
    own = CONFIG if name.endswith(".keras") else METADATA
    for number, outside in enumerate(OUTSIDE):
        made = _named(packed(before, [*held, (f"placeholder{number}", b"x")]), f"placeholder{number}", outside)
        yield Case(f"outside{number}-{name}", "zip members named outside the file", made, EITHER, frozenset({0, 3}))
    for each in dict.fromkeys((own, METADATA)):
        twice = packed(before, [*held, ("twin" + each[4:], b"{}")])
        made = _named(twice, "twin" + each[4:], each)
        yield Case(f"twice-{each}-{name}", "zip members that are there twice", made, REFUSED)
    for each in dict.fromkeys((own, METADATA, LABELS)):
        for filler, title in ((b" ", "spaces"), (b"\n", "lines"), (b"[", "brackets"), (b'{"a":[],', "keys")):
            bomb = [*((n, d) for n, d in held if n != each), (each, filler * (BOMB // len(filler)))]
            # Nobody reads the labels of a .keras.
            codes = EITHER if each == LABELS and own == CONFIG else REFUSED
            yield Case(f"bomb-{title}-{each}-{name}", "zip bombs", packed(before, bomb), codes)
    stored = packed(before, held, zipfile.ZIP_STORED)
    yield Case(f"stored-{name}", "other zips that are right", stored, frozenset({0}))
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield Case(f"method{method}-{name}", "zips of another compression", packed(before, held, method), REFUSED)
    yield from _directory(name, data)


def _directory(name: str, data: bytes) -> Iterator[Case]:
    """Lies of the directory about places and sizes."""
    end = data.rindex(b"PK\x05\x06")
    start = struct.unpack_from("<I", data, end + 16)[0]
    for title, place in (("count", end + 10), ("size", end + 12), ("start", end + 16), ("comment", end + 20)):
        for value in (0, 1, 0xFFFF):
            made = bytearray(data)
            struct.pack_into("<H", made, place, value)
            yield Case(f"end-{title}-{value}-{name}", "zip directories that lie", bytes(made), EITHER)
    for title, field in (("flags", 8), ("method", 10), ("crc", 16), ("packed", 20), ("unpacked", 24), ("place", 42)):
        entry = data.find(b"PK\x01\x02", start)
        for value in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF):
            made = bytearray(data)
            form = "<H" if field < 12 else "<I"
            struct.pack_into(form, made, entry + field, value & (0xFFFF if field < 12 else 0xFFFFFFFF))
            yield Case(f"entry-{title}-{value}-{name}", "zip directories that lie", bytes(made), EITHER)


def architectures(name: str, data: bytes) -> Iterator[Case]:
    """A config.json that is none, or goes on for ever."""
    held = dict(members(data))
    deep: object = []
    for _ in range(400):
        deep = [deep]
    texts = {
        "list": "[]", "null": "null", "number": "5", "text": '"x"', "empty": "", "half": '{"config":',
        "deep": "[" * 100_000, "layers": '{"config": {"layers": 5}}', "layer": '{"config": {"layers": ["x"]}}',
        "keys": '{"config": {"layers": [{}]}}',
        "nested": '{"config": {"layers": [' * 5000, "digits": '{"config": ' + "9" * 5000 + "}", "utf": "\ud800",
        "names": '{"config": {"layers": [{"class_name": {"a": 1}, "config": {"name": ["\\u001b[31m"]}}]}}',
        "config": '{"config": {"layers": [{"class_name": "Dense", "config": null}]}}', "nan": '{"config": NaN}',
        "deeper": '{"config": {"layers": [{"config": ' * 3000 + "{}" + "}]}}" * 3000, "arrays": json.dumps(deep),
    }  # fmt: skip
    for title, text in texts.items():
        held[CONFIG] = text.encode("utf-8", "surrogatepass")
        codes = EITHER if title == "names" else REFUSED
        yield Case(f"config-{title}-{name}", "architectures that are none", packed(b"", held.items()), codes)


def _named(data: bytes, old: str, new: str) -> bytes:
    """Give a member another name; the last one has no other behind it, so that only lengths change."""
    entries = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [(each.filename, archive.read(each)) for each in archive.infolist()]
        first = min(each.header_offset for each in archive.infolist())
    out = bytearray(data[:first])
    directory = bytearray()
    for name, held in entries:
        raw = (new if name == old else name).encode()
        facts = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, zlib.crc32(held), len(held), len(held), len(raw), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + facts + struct.pack("<HHHII", 0, 0, 0, 0, len(out)) + raw
        out += b"PK\x03\x04" + facts + raw + held
    place = len(out)
    count = len(entries)
    return bytes(
        out + directory + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), place, 0)
    )
