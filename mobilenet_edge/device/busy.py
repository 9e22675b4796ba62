"""Count the workers that are measuring on this machine: each one locks a file.

The system releases a lock when its process ends for any reason, so an unlocked file belongs to a dead worker and is
removed.
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
except ImportError:  # Windows, where workers cannot detect each other
    fcntl = None  # type: ignore[assignment]

PREFIX: Final = "mnet-measuring-"
SUFFIX: Final = ".lock"
# Another worker may remove the file between its creation and the lock, so locking is tried again.
ATTEMPTS: Final = 5


@contextmanager
def measuring(folder: Path | None = None) -> Iterator[None]:
    """Mark this process as measuring while the block runs; does nothing if the folder is not writable.

    Args:
        folder: Folder of the lock files; the temporary folder by default.
    """
    path = _lock_path(folder or _temporary_folder())
    descriptor = _lock(path)
    try:
        yield
    finally:
        if descriptor is not None:
            # Removed before it is unlocked, so that no other worker finds it unlocked.
            with suppress(OSError):
                path.unlink()
            os.close(descriptor)


def others(folder: Path | None = None) -> int:
    """Count the other measuring workers on this machine, of all users who share the folder.

    Args:
        folder: Folder of the lock files; the temporary folder by default.
    """
    folder = folder or _temporary_folder()
    this = _lock_path(folder)
    if not fcntl:
        return 0
    try:
        paths = [path for path in folder.iterdir() if path.name.startswith(PREFIX) and path.suffix == SUFFIX]
    except OSError:
        return 0
    return sum(_is_locked(path) for path in paths if path != this)


def _temporary_folder() -> Path:
    # The same choice as `tempfile`, whose import would add milliseconds to the start of each worker.
    return Path(next(filter(None, map(os.environ.get, ("TMPDIR", "TEMP", "TMP"))), "/tmp"))  # noqa: S108


def _lock_path(folder: Path) -> Path:
    return folder / f"{PREFIX}{os.getpid()}{SUFFIX}"


def _lock(path: Path) -> int | None:
    for _ in range(ATTEMPTS if fcntl else 0):
        try:
            # Any user can write to the folder, so links are not followed.
            file = os.open(path, os.O_CREAT | os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
        except OSError:
            return None
        try:
            # Other users must be able to read the file to see its lock, whatever the umask.
            os.fchmod(file, 0o644)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_same_file(path, file):
                return file
        except BlockingIOError:
            time.sleep(0.001)
        except OSError:
            os.close(file)
            return None
        os.close(file)
    return None


def _is_locked(path: Path) -> bool:
    try:
        # O_NONBLOCK because opening a pipe of this name would wait for its writer.
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISREG(os.fstat(file).st_mode) and _is_same_file(path, file):
            path.unlink()
    except BlockingIOError:
        return True
    except OSError:
        # The file system has no locks, or the file belongs to another user and stays.
        return False
    finally:
        os.close(file)
    return False


def _is_same_file(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(file))
    except OSError:
        return False
