"""Which measuring workers there are on this machine: each holds a lock on a file of its own.

A lock ends with its process, however that ends, so a file that nobody holds is a dead worker's and is removed.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # not on Windows, where no worker sees another
    fcntl = None  # type: ignore[assignment]

PREFIX: Final = "mnet-measuring-"
SUFFIX: Final = ".lock"
# Between making a file and locking it somebody may take it for a dead worker's, and remove it.
ATTEMPTS: Final = 5


@contextmanager
def measuring(folder: Path | None = None) -> Iterator[None]:
    """Let other workers see this one while the block runs; in vain where the folder cannot be written.

    Args:
        folder: Where the files are; the temporary folder by default.
    """
    path = _own(folder or _temporary())
    held = _hold(path)
    try:
        yield
    finally:
        if held is not None:
            # First, so that nobody meets the file without its lock.
            with suppress(OSError):
                path.unlink()
            os.close(held)


def others(folder: Path | None = None) -> int:
    """Count the measuring workers of this machine but this one, of all users who share the folder.

    Args:
        folder: Where the files are; the temporary folder by default.
    """
    folder = folder or _temporary()
    own = _own(folder)
    if not fcntl:
        return 0
    try:
        paths = [path for path in folder.iterdir() if path.name.startswith(PREFIX) and path.suffix == SUFFIX]
    except OSError:
        return 0
    return sum(_alive(path) for path in paths if path != own)


def _temporary() -> Path:
    # As `tempfile`, whose import would cost every worker some milliseconds.
    return Path(next(filter(None, map(os.environ.get, ("TMPDIR", "TEMP", "TMP"))), "/tmp"))  # noqa: S108


def _own(folder: Path) -> Path:
    return folder / f"{PREFIX}{os.getpid()}{SUFFIX}"


def _hold(path: Path) -> int | None:
    for _ in range(ATTEMPTS if fcntl else 0):
        try:
            # The folder is everybody's, so no link is followed.
            file = os.open(path, os.O_CREAT | os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
        except OSError:
            return None
        try:
            # Others see the lock of a file that they may read, whatever the umask.
            os.fchmod(file, 0o644)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is(path, file):
                return file
        except BlockingIOError:
            time.sleep(0.001)
        except OSError:
            os.close(file)
            return None
        os.close(file)
    return None


def _alive(path: Path) -> bool:
    try:
        # A pipe of this name would keep us waiting for its writer.
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISREG(os.fstat(file).st_mode) and _is(path, file):
            path.unlink()
    except BlockingIOError:
        return True
    except OSError:
        # No locks on this file system, or another user's file: it stays.
        return False
    finally:
        os.close(file)
    return False


def _is(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(file))
    except OSError:
        return False
