"""Compile models for Arm's Ethos-U with Vela, and predict what it places on the CPU; see docs/devices.md."""

from __future__ import annotations

from typing import Final

# As `vela --accelerator-config` names them, with their number of multipliers.
ACCELERATORS: Final = (
    *(f"ethos-u55-{macs}" for macs in (32, 64, 128, 256)),
    *(f"ethos-u65-{macs}" for macs in (256, 512)),
    *(f"ethos-u85-{macs}" for macs in (128, 256, 512, 1024, 2048)),
)
# The operator that replaces compiled operators in a file.
COMPILED: Final = "ethos-u"
EXTRA: Final = "ethos"


def is_accelerator(target: str) -> bool:
    """Return whether a target is an Ethos-U."""
    return target in ACCELERATORS


def generation(accelerator: str) -> str:
    """Return "u55", "u65" or "u85"."""
    return accelerator.split("-")[1]
