"""Read and write files; a file is replaced as a whole, so that it is never incomplete."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from mobilenet_edge.errors import InputError

_LOG = logging.getLogger(__name__)
# Suffix of a file that is being written.
PART_SUFFIX: Final = ".part"
# Disk full or read-only: an expected failure, never a bug.
FULL_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to a temporary file in the same folder, then rename it to `path`.

    Raises:
        InputError: The file cannot be written; the temporary file is removed.
    """
    write_together({path: data})


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write files that belong together: none is renamed before all are written.

    Raises:
        InputError: A file cannot be written; temporary files are removed, and existing files are unchanged.
    """
    with ExitStack() as cleanup:
        parts = {path: _part(path, data, cleanup) for path, data in contents.items()}
        for path, part in parts.items():
            with _as_input_error(path):
                part.replace(path)
            _LOG.info("wrote %s", path)


def _part(path: Path, data: bytes, cleanup: ExitStack) -> Path:
    """Write a temporary file, which `cleanup` removes unless it has been renamed."""
    with _as_input_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PART_SUFFIX, dir=path.parent)
        part = Path(name)
        cleanup.callback(part.unlink, missing_ok=True)
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
    """Remove temporary files of killed writers from a folder, which no other process may be writing to."""
    with suppress(OSError):
        for path in folder.glob(f".*{PART_SUFFIX}"):
            path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` in UTF-8; see `write_bytes`."""
    write_bytes(path, text.encode())


def read_bytes(path: Path) -> bytes:
    """Read the content of a file.

    Raises:
        InputError: The file does not exist, is a folder, or cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason(error)}; {_advice(error)}") from error


def try_file(path: Path) -> None:
    """Check that a file could be written, without creating it.

    Raises:
        InputError: The path is a folder, or its folder cannot be written.
    """
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; give the name of a file in it")
    try_folder(path.parent)


def try_folder(folder: Path) -> None:
    """Check that files could be written to a folder, without creating it.

    Raises:
        InputError: The path is a file, or the folder cannot be written.
    """
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {reason(error)}; choose another place") from error


def no_room(error: OSError) -> InputError | None:
    """Return the expected failure for an unexpected error, if the cause is a full or read-only disk; None otherwise."""
    if error.errno in FULL_DISK:
        fact = f"cannot write {error.filename}" if error.filename else "cannot write"
        return InputError(f"{fact}: {reason(error)}; free some space, or set TMPDIR to another temporary folder")
    if "temporary directory" in (error.strerror or ""):  # from tempfile, after it tried all candidates
        return InputError("no temporary folder can be written; free some space, or set TMPDIR to another folder")
    return None


def reason(error: OSError) -> str:
    """Return the system's reason for an error, in lower case."""
    return (error.strerror or str(error)).lower()


def _advice(error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return "give the name of a file in it"
    return "check its permissions" if isinstance(error, PermissionError) else "check the path"


def _umask() -> int:
    # Files of mkstemp have mode 0600, which other users cannot read. The mask can be read only by setting it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
