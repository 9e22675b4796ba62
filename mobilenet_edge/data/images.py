"""Find and decode picture files.

Pillow does the decoding; it is imported where it is used, so that the rest runs without it.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final, TypeVar

from mobilenet_edge import files
from mobilenet_edge.device import picture
from mobilenet_edge.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES: Final = frozenset((".bmp", ".gif", ".jpe", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"))

_Item = TypeVar("_Item")

# What Pillow's decoders raise on broken files; SyntaxError is their own word for a bad header.
_BROKEN: Final = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, struct.error),
    *(MemoryError, RecursionError),
)


def find(folder: Path) -> list[Path]:
    """List the image files below `folder`, as `names` does."""
    return [folder / name for name in names(folder)]


def names(folder: Path) -> list[str]:
    """List the image files below `folder`, sorted by path; links to folders are followed, each folder once.

    Returns:
        What comes after `folder` in the path of each, "cats/1.jpg". A million of them are about 100 MB, and twice that
        while they are sorted; paths would be thrice that.

    Raises:
        InputError: Not a folder, not readable, or without images.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give one that holds images")
    try:
        # Part by part, as paths are sorted: "cat/2.jpg" before "cat-fish/1.jpg".
        found = sorted(_walk(folder), key=lambda name: name.replace("/", "\0"))
    except OSError as error:
        raise InputError(f"cannot read {error.filename or folder}: {files.reason(error)}") from error
    if not found:
        raise InputError(f"{folder} holds no images; known suffixes: {' '.join(sorted(SUFFIXES))}")
    return found


def spread(paths: Sequence[_Item], limit: int | None) -> list[_Item]:
    """Pick at most `limit` paths or names evenly over the list, so that a class a folder gives all classes alike."""
    if limit is None or len(paths) <= limit:
        return list(paths)
    return [paths[index * len(paths) // limit] for index in range(limit)]


def decode(path: Path, data: bytes | None = None) -> Image.Image:
    """Read one image file as upright RGB, 8 bits a channel.

    Args:
        path: The file.
        data: What it holds, where it is on another machine.

    Raises:
        InputError: It is not an image, is damaged or cut short, or is larger than Pillow's limit against
            decompression bombs.
        MissingExtraError: Pillow is not installed.
    """
    pil = _pillow()
    if data is None and path.exists() and not path.is_file():
        raise InputError(f"cannot read {path} as an image (it is no file); replace or remove it")  # opening may wait
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged EXIF data and the like; the picture decides
            warnings.simplefilter("error", pil.DecompressionBombWarning)
            return picture.decode(path if data is None else io.BytesIO(data))
    except (*_BROKEN, pil.DecompressionBombError, pil.DecompressionBombWarning) as error:
        raise InputError(f"cannot read {path} as an image ({_one_line(error)}); replace or remove it") from error


def decoded(paths: Sequence[Path]) -> Iterator[tuple[Path, Image.Image | None]]:
    """Decode images one at a time; None stands for a file that cannot be read.

    Raises:
        InputError: None of the files could be read.
        MissingExtraError: Pillow is not installed.
    """
    readable, first = 0, None
    for path in paths:
        try:
            image = decode(path)
        except InputError as error:
            first = first or error
            yield path, None
        else:
            readable += 1
            yield path, image
    if not readable:
        raise InputError(f"none of {len(paths)} image files can be read; the first: {first}")


def _walk(folder: Path) -> Iterator[str]:
    seen: set[tuple[int, int]] = set()
    # A stack, not recursion: how deep folders lie is not ours to choose.
    waiting = [""]
    while waiting:
        below = waiting.pop()
        here = (folder / below).stat()
        if (here.st_dev, here.st_ino) in seen:
            continue
        seen.add((here.st_dev, here.st_ino))
        folders, names = _list(folder / below)
        yield from (f"{below}{name}" for name in names)
        # Sorted, since which of two links is followed must not depend on the file system.
        waiting += [f"{below}{name}/" for name in sorted(folders, reverse=True)]


def _list(folder: Path) -> tuple[list[str], list[str]]:
    folders, names = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if _is_folder(entry):
                folders.append(entry.name)
            # Hidden files are not anybody's pictures: macOS leaves `._cat.jpg` beside each `cat.jpg`.
            elif not entry.name.startswith(".") and _known(entry.name):
                names.append(entry.name)
    return folders, names


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _known(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122 a Path for each of 50,000 names takes seconds


def _pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError("reading images needs Pillow", "images") from error
    return Image


def _one_line(error: Exception) -> str:
    text = files.reason(error) if isinstance(error, OSError) else str(error)
    return " ".join(text.split()) or type(error).__name__
