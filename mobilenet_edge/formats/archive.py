"""Metadata as a member of a zip: appended to a .tflite, as TFLite does with associated files, or inside a .keras."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from mobilenet_edge.formats.metadata import MEMBER

# A clock in the file would make two exports of one model differ.
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
LABELS: Final = "labels.txt"
# Far above any metadata, far below what a bomb unpacks to.
LIMIT: Final = 4 << 20
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# How every member that `append` writes begins: signature, version 2.0, no flags, the method, and the clock of _EPOCH.
_BEGINNINGS: Final = tuple(b"PK\x03\x04\x14\0\0\0%c\0\0\0\x21\0" % method for method in _METHODS)


def append(data: bytes, members: dict[str, str], *, compress: bool = True) -> bytes:
    """Add text members to a zip, or a zip to a file that is none; the same members give the same bytes."""
    buffer = io.BytesIO(data)
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, text in members.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text, compresslevel=9)
    return buffer.getvalue()


def read(data: bytes, name: str = MEMBER, limit: int = LIMIT) -> str | None:
    """Read a text member; None where there is no zip or no such member.

    Raises:
        ValueError: The zip is damaged or cut off, it has a name twice or one that leads elsewhere, or the member
            unpacks to more than `limit` bytes.
    """
    with _opened(data) as archive:
        if archive is None or name not in archive.namelist():
            return None
        if archive.getinfo(name).compress_type not in _METHODS:
            raise ValueError("its zip is damaged: a compression that is not used here")
        with archive.open(name) as member:
            text = member.read(limit + 1)
    if len(text) > limit:
        raise ValueError(f"its {name} is larger than {limit >> 20} MiB")
    return text.decode("utf-8")


def sizes(data: bytes) -> dict[str, int] | None:
    """Bytes that each member takes in the file, by name; None where there is no zip."""
    with _opened(data) as archive:
        return None if archive is None else {entry.filename: entry.compress_size for entry in archive.infolist()}


def start(data: bytes) -> int:
    """Where an appended zip begins; the file's size where there is none."""
    with _opened(data) as archive:
        return min((entry.header_offset for entry in archive.infolist()), default=len(data)) if archive else len(data)


@contextmanager
def _opened(data: bytes) -> Iterator[zipfile.ZipFile | None]:
    """Open the zip at the end of a file, None where there is none; its every complaint becomes a ValueError."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        # The directory of a zip is its end: where a member begins all the same, the file has been cut.
        if any(beginning in data for beginning in _BEGINNINGS):
            raise ValueError("its zip is cut off")
        yield None
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check(archive.infolist(), len(data))
            yield archive
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
    ) as error:
        # zipfile quotes what stands in the place of a name, however long.
        raise ValueError(f"its zip is damaged: {str(error).lower():.80}") from error


def _check(entries: Sequence[zipfile.ZipInfo], size: int) -> None:
    """Refuse what readers understand differently: names that are there twice, and names of other places."""
    names = [entry.filename for entry in entries]
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise ValueError(f"its zip has {twice!r:.80} twice")
    for entry in entries:
        parts = entry.orig_filename.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or parts[0].endswith(":") or "\0" in entry.orig_filename:
            raise ValueError(f"its zip names a place outside itself, {entry.orig_filename!r:.80}")
        if not 0 <= entry.header_offset <= entry.header_offset + entry.compress_size <= size:
            raise ValueError("its zip is damaged: a member lies outside the file")
