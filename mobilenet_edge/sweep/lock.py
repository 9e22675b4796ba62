"""One sweep at a time in a folder."""

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

# Processes of a sweep that was killed end as soon as they notice.
WAIT_SECONDS: Final = 2.0


@contextmanager
def hold(out: Path) -> Iterator[int]:
    """Keep the folder to this process while the block runs; the system lets go when a process ends, however it does.

    What others left half-written there, who were killed, is removed.

    Yields:
        A descriptor; processes that inherit it keep the folder, too, until they have ended.

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
        end = time.monotonic() + WAIT_SECONDS
        while not _lock(handle):
            if time.monotonic() >= end:
                raise InputError(f"another sweep is at work in {out}; wait for it, or choose another --out")
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
    """Where a sweep's processes put what is for a moment; removed at its end, or where it was killed by the next."""
    return out.resolve() / FOLDER / "tmp"


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
