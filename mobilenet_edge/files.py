"""Writing files so that none is ever seen half-written."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from mobilenet_edge.errors import InputError

# What a file is called until it is whole.
PART: Final = ".part"
# Disk full or read-only: an expected failure, never a bug.
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` under a temporary name beside `path`, then move it into place.

    Raises:
        InputError: The place cannot be written; nothing is left behind.
    """
    write_together({path: data})


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write files that belong together: none is moved into place before all are on the disk.

    Raises:
        InputError: One of them cannot be written; nothing is left behind, and the files of before are as they were.
    """
    with ExitStack() as left:
        parts = {path: _part(path, data, left) for path, data in contents.items()}
        for path, part in parts.items():
            with _as_input_error(path):
                part.replace(path)


def _part(path: Path, data: bytes, left: ExitStack) -> Path:
    """Write a file under a temporary name, under which it is removed at the end."""
    with _as_input_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PART, dir=path.parent)
        part = Path(name)
        left.callback(part.unlink, missing_ok=True)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        part.chmod(0o666 & ~_umask())
    return part


@contextmanager
def _as_input_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {path}: {reason(error)}; choose another place") from error


def remove_parts(folder: Path) -> None:
    """Remove what writers left in a folder that were killed; only where nobody else writes there."""
    with suppress(OSError):
        for path in folder.glob(f".*{PART}"):
            path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, as `write_bytes` does."""
    write_bytes(path, text.encode())


def read_bytes(path: Path) -> bytes:
    """Read a file whole.

    Raises:
        InputError: It does not exist, is a folder, or may not be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason(error)}; {_advice(error)}") from error


def try_file(path: Path) -> None:
    """Fail early where a file could not be written; leave nothing.

    Raises:
        InputError: It is a folder, or its folder may not be written.
    """
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; give the name of a file in it")
    try_folder(path.parent)


def try_folder(folder: Path) -> None:
    """Fail early where a folder could not be written to; leave nothing, not even the folder.

    Raises:
        InputError: It is a file, or may not be written.
    """
    existing = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {reason(error)}; choose another place") from error


def no_room(error: OSError) -> InputError | None:
    """Say of an error that nobody expected that a disk takes no more; None where it is something else."""
    if error.errno in FULL:
        where = f"cannot write {error.filename}" if error.filename else "cannot write"
        return InputError(f"{where}: {reason(error)}; free some there, or in the temporary folder (set TMPDIR)")
    if "temporary directory" in (error.strerror or ""):  # tempfile's, which tried them all
        return InputError("no temporary folder can be written; free some space, or set TMPDIR to another folder")
    return None


def reason(error: OSError) -> str:
    """Say why the system refused, in its own words and lower case."""
    return (error.strerror or str(error)).lower()


def _advice(error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return "give the name of a file in it"
    return "check its permissions" if isinstance(error, PermissionError) else "check the path"


def _umask() -> int:
    # The mask can only be read by setting it; mkstemp's 0600 would make results unreadable to others.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
