"""Which wheel of a runtime a machine can have; looked up on the package index in autumn 2026."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Wheel:
    """How a runtime is installed.

    Attributes:
        extra: With the package itself: `mobilenet-edge[extra]`.
        requirement: Without it, as arguments of pip.
        machines: `uname -m` it exists for.
        oldest: Python version, the first of the supported ones.
        newest: The last, None where it goes on.
    """

    extra: str
    requirement: str
    machines: tuple[str, ...]
    oldest: tuple[int, int]
    newest: tuple[int, int] | None = None

    def fits(self, machine: str, python: tuple[int, int]) -> bool:
        """Tell whether the index has it for this machine and Python version."""
        return machine in self.machines and self.oldest <= python and (self.newest is None or python <= self.newest)


WHEELS: Final = {
    "litert": Wheel("tflite", "ai-edge-litert>=2.1", ("x86_64", "aarch64", "arm64"), (3, 10)),
    "tflite-runtime": Wheel(
        "tflite-legacy", "tflite-runtime==2.14.0 'numpy<2'", ("x86_64", "aarch64", "armv7l"), (3, 8), (3, 11)
    ),
    "onnxruntime": Wheel("onnx", "onnxruntime", ("x86_64", "aarch64", "arm64"), (3, 10)),
}


def find(runtime: str, machine: str | None = None, python: tuple[int, int] = sys.version_info[:2]) -> Wheel | None:
    """Find the wheel of a runtime for a machine (`uname -m`; this one by default), None where there is none."""
    wheel = WHEELS[runtime]
    return wheel if wheel.fits(machine or os.uname().machine, python) else None


def machine() -> str:
    """Name this machine in words: architecture and Python version."""
    return f"{os.uname().machine} and Python {sys.version_info[0]}.{sys.version_info[1]}"
