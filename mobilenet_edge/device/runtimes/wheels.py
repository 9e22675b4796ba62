"""Tell which wheels fit a machine; the table of runtimes has those on the package index in autumn 2026.

The required glibc is the newer of two: the one in the wheel's tag, by which pip chooses, and the one its libraries
need to load. On aarch64, ai-edge-litert is tagged 2.27 and needs 2.34; tflite-runtime is tagged 2.34 and needs 2.27.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

Version = tuple[int, int]


@dataclass(frozen=True)
class Wheel:
    """A version range of a runtime and the machines it supports.

    Attributes:
        requirement: Arguments of pip, quoted for a shell.
        machines: Supported values of `uname -m`, each with the oldest glibc; None for systems other than Linux.
        oldest: First supported Python version.
        newest: Last supported Python version, None for no upper bound.
        extra: The extra of mobilenet-edge that installs it, None if the extra would install another version.
    """

    requirement: str
    machines: Mapping[str, Version | None]
    oldest: Version
    newest: Version | None = None
    extra: str | None = None

    def fits(self, machine: str, python: Version, glibc: Version | None) -> bool:
        """Return whether pip installs it on a machine and it can be loaded there."""
        if machine not in self.machines or python < self.oldest or (self.newest is not None and python > self.newest):
            return False
        needed = self.machines[machine]
        return needed is None or (glibc is not None and needed <= glibc)


def here() -> tuple[str, Version, Version | None]:
    """Return the machine, Python and glibc of this process, as arguments of `Wheel.fits`."""
    return _machine(os.uname().machine, sys.maxsize > 2**32), sys.version_info[:2], _glibc()


def words(machine: str, python: Version, glibc: Version | None) -> str:
    """Describe a machine in words: architecture, Python and C library."""
    library = "no glibc" if glibc is None else f"glibc {_dotted(glibc)}"
    return f"{machine}, Python {_dotted(python)} and {library}"


def _machine(kernel: str, wide: bool) -> str:
    # 32-bit Raspberry Pi OS has had a 64-bit kernel since 2023; pip chooses wheels by the bits of Python.
    return kernel if wide else {"aarch64": "armv7l", "x86_64": "i686"}.get(kernel, kernel)


def _glibc() -> Version | None:
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (ValueError, OSError):
        return None  # musl and macOS
    # A development version has three parts, such as 2.36.9000.
    numbers = version.split(".")[:2]
    if name != "glibc" or len(numbers) < 2 or not all(map(str.isdigit, numbers)):
        return None
    return int(numbers[0]), int(numbers[1])


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
