"""HDF5 files from elsewhere: opened so that they can name no other file, and so that damage is one line."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from mobilenet_edge.errors import InputError, MissingExtraError

MEMBER: Final = "model.weights.h5"
SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
# Far above any MobileNet, and what a machine that runs TensorFlow can hold.
_LARGEST: Final = 2 << 30


def inside(data: bytes, name: str) -> bytes:
    """Unpack the weights of a .keras file; `name` is for messages.

    Raises:
        InputError: They are damaged, or unpack to more than any model's.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if archive.getinfo(MEMBER).file_size > _LARGEST:
                raise InputError(f"{name} unpacks to more than {_LARGEST >> 30} GiB; mnet does not load it")
            return archive.read(MEMBER)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, KeyError) as error:
        raise InputError(f"{name} is damaged: {error}; copy it again") from error


@contextmanager
def opened(data: bytes, name: str) -> Iterator[Any]:
    """Open an HDF5 file for reading, as an h5py.File.

    Args:
        data: The whole file.
        name: For messages. What fails inside the block because the file is damaged is reported under it too.

    Raises:
        InputError: Not HDF5, damaged, it refers to other files or places, or unpacks to more than it is.
        MissingExtraError: h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError(f"{name} is HDF5, which needs h5py", "export") from error
    if not data.startswith(SIGNATURE):
        raise InputError(f"{name} is not an HDF5 file; give weights that Keras saved")
    try:
        # From memory: a file object would be asked for each of the thousand small pieces.
        with h5py.File(h5py.h5f.open_file_image(data)) as file:
            _refuse_links(h5py, file, name)
            _refuse_datasets(h5py, file, name, len(data))
            yield file
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{name} is cut off or damaged: {_first_line(error)}; copy it again") from error


def _refuse_links(h5py: Any, file: Any, name: str) -> None:
    """Refuse soft and external links: Keras writes none, and they could read any file."""
    linked = file.visititems_links(lambda path, link: None if isinstance(link, h5py.HardLink) else path)
    if linked is not None:
        raise _elsewhere(name, linked)


def _refuse_datasets(h5py: Any, file: Any, name: str, length: int) -> None:
    """Refuse data kept elsewhere, and arrays larger than the file: Keras packs none, and the sum is known unread."""
    held = 0

    def look(path: str, item: Any) -> None:
        nonlocal held
        if isinstance(item, h5py.Dataset):
            held += item.nbytes
            if item.external or item.is_virtual:
                raise _elsewhere(name, path)

    file.visititems(look)
    if held > length:
        raise InputError(f"{name}: its arrays would take {held} bytes, and the file has {length}; save it unpacked")


def _elsewhere(name: str, path: str) -> InputError:
    return InputError(f"{name}: {path} is a reference to data elsewhere, which mnet does not follow")


def _first_line(error: Exception) -> str:
    return str(error).strip("'\"").partition("\n")[0]
