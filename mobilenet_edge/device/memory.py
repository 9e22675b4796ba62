"""Limit the memory of this process, and read how much is available."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from mobilenet_edge.device.facts import SYSTEM, memory_of_machine

try:
    import resource
except ImportError:  # Windows, which has no such limit
    resource = None  # type: ignore[assignment]


def bound(root: Path = SYSTEM) -> None:
    """Limit the data of this process to the memory and swap of the machine.

    A model that claims 100 GB then fails in its runtime, instead of ending other programs. RLIMIT_DATA (since Linux
    4.7) counts only data, not reserved address space.
    """
    limit = memory_of_machine(root)
    if limit is None or not resource:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    # Some systems have no such limit, and emulators may refuse it.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def available_bytes(root: Path = SYSTEM) -> int | None:
    """Return the memory in bytes that is available without swapping, None if unknown."""
    with suppress(OSError, ValueError, IndexError):
        lines = (root / "proc/meminfo").read_text().splitlines()
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)
    return None
