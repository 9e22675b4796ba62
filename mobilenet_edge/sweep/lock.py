"""Lock a folder, so that one sweep runs in it at a time."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mobilenet_edge import files
from mobilenet_edge.errors import InputError
from mobilenet_edge.sweep.manifest import FOLDER

# The processes of a killed sweep need a moment to end.
WAIT_SECONDS: Final = 2.0


@contextmanager
def hold(out: Path) -> Iterator[int]:
    """Lock a folder while the block runs, and remove partial files that killed sweeps left in it.

    The system releases the lock when the process ends, for whatever reason.

    Yields:
        File descriptor of the lock. Processes that inherit it also hold the lock until they end.

    Raises:
        InputError: Another sweep runs in the folder, or the folder cannot be written.
    """
    path = out / FOLDER / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError as error:
        raise InputError(f"cannot write to {out}: {files.reason(error)}; choose another --out") from error
    try:
        end = time.monotonic() + WAIT_SECONDS
        while not _lock(handle):
            if time.monotonic() >= end:
                raise InputError(f"another sweep runs in {out}; wait for it to end, or choose another --out")
            time.sleep(0.05)
        files.remove_parts(out)
        files.remove_parts(path.parent)
        shutil.rmtree(temporary(out), ignore_errors=True)
        try:
            yield handle
        finally:
            shutil.rmtree(temporary(out), ignore_errors=True)
    finally:
        os.close(handle)


def temporary(out: Path) -> Path:
    """Return the folder for temporary files of a sweep; it is removed at the end of this sweep or by the next."""
    return out.resolve() / FOLDER / "tmp"


def _lock(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows has no fcntl, but lets only one process open a file for writing
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
