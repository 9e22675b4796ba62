"""Writing files so that none is ever seen half-written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from mobilenet_edge.errors import InputError


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` under a temporary name beside `path`, then move it into place.

    Raises:
        InputError: The place cannot be written; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).chmod(0o666 & ~_umask())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"cannot write {path}: {reason(error)}; choose another place") from error


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
