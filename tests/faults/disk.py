"""A small disk that can be made smaller, and what is on it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGE = 4096
# Linux gives whole pages to the files of such a disk, and none to folders and names.
ROOMY = 16_384


@dataclass(frozen=True)
class Disk:
    """A file system of its own.

    Attributes:
        folder: Where it is mounted.
    """

    folder: Path

    def limit(self, pages: int) -> None:
        """Let it hold so many pages of 4 KiB, no fewer than it holds."""
        self._remount(f"size={max(pages, 1) * PAGE}")

    def widen(self) -> None:
        """Let it hold more than any test needs."""
        self.limit(ROOMY)

    def freeze(self, frozen: bool = True) -> None:
        """Let nothing be written, not even by root."""
        self._remount("ro" if frozen else "rw")

    def clear(self) -> None:
        """Remove what is on it."""
        for path in self.folder.iterdir():
            path.unlink()

    def contents(self) -> dict[str, bytes]:
        """What is on it, but the lock of a sweep."""
        paths = (path for path in self.folder.rglob("*") if path.is_file() and path.name != "lock")
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}

    def _remount(self, option: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{option}", str(self.folder)], check=True)


def pages(size: int) -> int:
    """Pages that a file of so many bytes takes."""
    return -(-size // PAGE)


def moments(before: int, written: list[bytes]) -> Iterator[int]:
    """For each of files written one after the other, the size of a disk on which just that one fails, in pages.

    Args:
        before: Pages that the disk holds at first.
        written: What is written, in order.
    """
    for data in written:
        own = pages(len(data))
        yield before + own // 2
        before += own


@contextmanager
def mount(folder: Path) -> Iterator[Disk]:
    """Mount an empty disk while the block runs; skip the test where that is not allowed."""
    words = ["mount", "-t", "tmpfs", "-o", f"size={ROOMY * PAGE}", "tmpfs", str(folder)]
    if subprocess.run(words, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system; run pytest under: unshare -rm")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
