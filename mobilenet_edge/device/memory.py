"""How much memory there is, and how much a model may make this process take."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from mobilenet_edge.device.facts import SYSTEM, memory_of_machine

try:
    import resource
except ImportError:  # not on Windows, which has no such limit
    resource = None  # type: ignore[assignment]


def bound(root: Path = SYSTEM) -> None:
    """Let allocations fail that exceed the machine's own memory and swap, where the system counts them.

    A model that claims 100 GB is then an error of its runtime, and not the end of other programs. Only data counts
    (RLIMIT_DATA, Linux 4.7): address space that is merely reserved does no harm.
    """
    most = memory_of_machine(root)
    if most is None or not resource:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    # Where a system has no such limit, or emulates it, there is none.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def available_bytes(root: Path = SYSTEM) -> int | None:
    """Return the memory that programs can have without swapping; None where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        lines = (root / "proc/meminfo").read_text().splitlines()
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)
    return None
