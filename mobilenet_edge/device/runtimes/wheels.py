"""Choose the wheel of a runtime for a machine, from the wheels on the package index in autumn 2026.

The required glibc is the newer of two: the one in the wheel's tag, by which pip chooses, and the one its libraries
need to load. On aarch64, ai-edge-litert is tagged 2.27 and needs 2.34; tflite-runtime is tagged 2.34 and needs 2.27.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

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


# The first wheel that fits is chosen.
WHEELS: Final[Mapping[str, tuple[Wheel, ...]]] = {
    "litert": (
        Wheel(
            "'ai-edge-litert>=2.1'", {"x86_64": (2, 27), "aarch64": (2, 34), "arm64": None}, (3, 10), extra="tflite"
        ),
        # The last with wheels for Python 3.9, and the last that loads on Debian 11.
        Wheel("ai-edge-litert==2.1.0", {"x86_64": (2, 27), "aarch64": (2, 30)}, (3, 9), (3, 13)),
    ),
    "tflite-runtime": (
        Wheel(
            "tflite-runtime==2.14.0 'numpy<2'", {"x86_64": (2, 29), "aarch64": (2, 34), "armv7l": (2, 34)},
            (3, 8), (3, 11), extra="tflite-legacy",
        ),
        # The last whose tag pip accepts on Debian 11.
        Wheel("tflite-runtime==2.13.0 'numpy<2'", {"aarch64": (2, 27), "armv7l": (2, 27)}, (3, 8), (3, 10)),
    ),
    "onnxruntime": (
        Wheel("onnxruntime", {"x86_64": (2, 27), "aarch64": (2, 27), "arm64": None}, (3, 9), extra="onnx"),
    ),
}  # fmt: skip


def requirements(machine: str, python: Version, glibc: Version | None) -> dict[str, str | None]:
    """Return how to install each runtime on a machine.

    Args:
        machine: Value of `uname -m`; if the kernel is 64-bit and the system 32-bit, that of the system.
        python: Major and minor version of Python.
        glibc: Major and minor version of glibc, None for another C library.

    Returns:
        For each key of `RUNTIMES` the arguments of pip, quoted for a shell; None if no wheel fits.
    """
    chosen = {name: choose(name, machine, python, glibc) for name in WHEELS}
    return {name: None if wheel is None else wheel.requirement for name, wheel in chosen.items()}


def choose(runtime: str, machine: str, python: Version, glibc: Version | None) -> Wheel | None:
    """Choose the wheel of a runtime for a machine, None if none fits."""
    return next((wheel for wheel in WHEELS[runtime] if wheel.fits(machine, python, glibc)), None)


def find(runtime: str) -> Wheel | None:
    """Choose the wheel of a runtime for this machine, None if none fits."""
    return choose(runtime, *here())


def here() -> tuple[str, Version, Version | None]:
    """Return the machine, Python and glibc of this process, as arguments of `requirements`."""
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
