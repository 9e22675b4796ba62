"""Which wheel of a runtime a machine can have; looked up on the package index in autumn 2026.

The glibc is the newer of the one in the wheel's tag, by which pip chooses, and of the symbols in its libraries, which
decide whether it loads: ai-edge-litert says 2.27 on aarch64 and needs 2.34, tflite-runtime says 2.34 on Arm and needs
2.27.
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
    """How a runtime is installed.

    Attributes:
        requirement: As arguments of pip, quoted for a shell.
        machines: `uname -m` it exists for, each with the oldest glibc; None where the system is no Linux.
        oldest: Python version, the first of the supported ones.
        newest: The last, None where it goes on.
        extra: What brings it with the package itself: `mobilenet-edge[extra]`. None where that would bring another.
    """

    requirement: str
    machines: Mapping[str, Version | None]
    oldest: Version
    newest: Version | None = None
    extra: str | None = None

    def fits(self, machine: str, python: Version, glibc: Version | None) -> bool:
        """Tell whether pip finds it for this machine, and whether it loads there."""
        if machine not in self.machines or python < self.oldest or (self.newest is not None and python > self.newest):
            return False
        needed = self.machines[machine]
        return needed is None or (glibc is not None and needed <= glibc)


# The first that fits is taken.
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
    """Say how each runtime is installed on a machine.

    Args:
        machine: `uname -m`, that of the system and not of the kernel where they differ.
        python: Its major and minor version.
        glibc: Likewise, None where the system has another C library.

    Returns:
        For each key of `RUNTIMES` the arguments of pip, quoted for a shell; None where there is no wheel that loads.
    """
    chosen = {name: choose(name, machine, python, glibc) for name in WHEELS}
    return {name: None if wheel is None else wheel.requirement for name, wheel in chosen.items()}


def choose(runtime: str, machine: str, python: Version, glibc: Version | None) -> Wheel | None:
    """Choose the wheel of a runtime for a machine, None where there is none."""
    return next((wheel for wheel in WHEELS[runtime] if wheel.fits(machine, python, glibc)), None)


def find(runtime: str) -> Wheel | None:
    """Choose the wheel of a runtime for this machine."""
    return choose(runtime, *here())


def here() -> tuple[str, Version, Version | None]:
    """Return machine, Python and glibc of this process, as `requirements` takes them."""
    return _machine(os.uname().machine, sys.maxsize > 2**32), sys.version_info[:2], _glibc()


def words(machine: str, python: Version, glibc: Version | None) -> str:
    """Name a machine: architecture, Python, C library."""
    library = "no glibc" if glibc is None else f"glibc {_dotted(glibc)}"
    return f"{machine}, Python {_dotted(python)} and {library}"


def _machine(kernel: str, wide: bool) -> str:
    # Raspberry Pi OS of 32 bits has had a kernel of 64 since 2023, and pip goes by Python.
    return kernel if wide else {"aarch64": "armv7l", "x86_64": "i686"}.get(kernel, kernel)


def _glibc() -> Version | None:
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (ValueError, OSError):
        return None  # musl and macOS
    # A version under development is told as 2.36.9000.
    numbers = version.split(".")[:2]
    if name != "glibc" or len(numbers) < 2 or not all(each.isdigit() for each in numbers):
        return None
    return int(numbers[0]), int(numbers[1])


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
