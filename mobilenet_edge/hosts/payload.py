"""Pack the worker into one file that any Python runs, on a device or on this machine."""

from __future__ import annotations

import atexit
import hashlib
import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import mobilenet_edge

PACKAGE: Final = Path(mobilenet_edge.__file__).parent
NAME: Final = "worker.pyz"
MAIN: Final = b"import sys\n\nfrom mobilenet_edge.device.worker import main\n\nsys.exit(main())\n"
# The packed folders; the __init__.py of their parents is added.
FOLDERS: Final = ("device", "formats/wire")
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
        file.write_bytes(pack())
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return file


def _members() -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", MAIN
    sources = [source for folder in FOLDERS for source in (PACKAGE / folder).rglob("*.py")]
    for source in (PACKAGE / "__init__.py", PACKAGE / "formats/__init__.py", *sources):
        yield source.relative_to(PACKAGE.parent).as_posix(), source.read_bytes()
