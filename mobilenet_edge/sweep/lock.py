"""One sweep at a time in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mobilenet_edge import files
from mobilenet_edge.errors import InputError
from mobilenet_edge.sweep.ledger import FOLDER


@contextmanager
def hold(out: Path) -> Iterator[None]:
    """Keep the folder to this process while the block runs; the system lets go when a process ends, however it does.

    Raises:
        InputError: Another sweep is at work there, or the folder cannot be written.
    """
    path = out / FOLDER / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError as error:
        raise InputError(f"cannot write to {out}: {files.reason(error)}; choose another place") from error
    try:
        if not _lock(handle):
            raise InputError(f"another sweep is at work in {out}; wait for it, or choose another --out")
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:  # not on Windows, where only one of two can have a file open for writing anyway
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
