"""Pack the worker into one file that any Python runs, on a device or on this machine."""

from __future__ import annotations

import atexit
import hashlib
import io
import shutil
import struct
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from typing import Final

import mobilenet_edge

PACKAGE: Final = Path(mobilenet_edge.__file__).parent
NAME: Final = "worker.pyz"
MAIN: Final = b"import sys\n\nfrom mobilenet_edge.device.worker import serve\n\nserve(sys.argv[1:])\n"
# The packed folders; the __init__.py of their parents is added.
FOLDERS: Final = ("device", "formats/wire")
# The rest of the header of byte code that is not compared with a source (PEP 552).
UNCHECKED: Final = b"\1\0\0\0" + bytes(8)
# A fixed date, the oldest in a zip, so that the bytes depend only on the source.
DATE: Final = (1980, 1, 1, 0, 0, 0)


@cache
def pack() -> bytes:
    """Pack the worker into a zip file for `python worker.pyz`; the same source gives the same bytes.

    The file is not compressed, because it then loads faster and ssh can compress the connection.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as payload:
        for name, data in sorted(_members()):
            payload.writestr(zipfile.ZipInfo(name, DATE), data)
    return buffer.getvalue()


def pack_compiled() -> bytes:
    """Pack the worker for this Python: with byte code beside the source, which takes a fifth of its start to compile.

    The byte code is that of Python's own cache, which is written where it is missing; where it must not be, there is
    none.
    """
    if sys.dont_write_bytecode:
        return pack()
    buffer = io.BytesIO(pack())
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as payload:
        for path in _sources():
            name = path.relative_to(PACKAGE.parent).as_posix()
            if (code := _byte_code(path, name)) is not None:
                payload.writestr(zipfile.ZipInfo(f"{name}c", DATE), code)
    return buffer.getvalue()


def digest() -> str:
    """Return the SHA-256 of `pack()` in hex."""
    return hashlib.sha256(pack()).hexdigest()


def path() -> Path:
    """Return the path of the payload in a temporary folder, which is removed at the end of this process."""
    file = _file()
    if not file.is_file():  # the temporary folder was cleaned
        _file.cache_clear()
        file = _file()
    return file


@cache
def _file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mnet-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / NAME
    try:
        file.write_bytes(pack_compiled())
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return file


def _members() -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", MAIN
    for path in _sources():
        yield path.relative_to(PACKAGE.parent).as_posix(), path.read_bytes()


def _byte_code(path: Path, name: str) -> bytes | None:
    """Return the byte code of a source, of Python's cache and with another header; None if the cache has none of it."""
    SourceFileLoader(name, str(path)).get_code(name)  # brings the cache up to date
    status = path.stat()
    size, seconds = (number & 0xFFFFFFFF for number in (status.st_size, int(status.st_mtime)))
    header = MAGIC_NUMBER + struct.pack("<III", 0, seconds, size)
    try:
        cached = Path(cache_from_source(str(path))).read_bytes()
    except OSError:
        return None
    return MAGIC_NUMBER + UNCHECKED + cached[len(header) :] if cached.startswith(header) else None


def _sources() -> list[Path]:
    sources = [path for folder in FOLDERS for path in (PACKAGE / folder).rglob("*.py")]
    return [PACKAGE / "__init__.py", PACKAGE / "formats/__init__.py", *sources]
