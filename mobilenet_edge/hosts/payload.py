"""The worker as one file that any Python runs: what travels to a device, and what this machine runs itself."""

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
# What travels, beside the __init__.py of what holds it.
FOLDERS: Final = ("device", "formats/wire")
# The oldest a zip can say: the bytes depend on the source alone.
DATE: Final = (1980, 1, 1, 0, 0, 0)


@cache
def pack() -> bytes:
    """Pack the device leg: a zip that `python worker.pyz` runs, the same bytes for the same source.

    Not compressed: reading it is quicker, and ssh compresses for whoever asks it to.
    """
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as payload:
        for name, data in sorted(_members()):
            payload.writestr(zipfile.ZipInfo(name, DATE), data)
    return held.getvalue()


def digest() -> str:
    """SHA-256 of `pack()`, as hex."""
    return hashlib.sha256(pack()).hexdigest()


def path() -> Path:
    """Return the payload as a file of this process, which is removed when the process ends."""
    held = _file()
    if not held.is_file():  # somebody tidied the temporary folder up
        _file.cache_clear()
        held = _file()
    return held


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
