"""List the CPUs that this process may use."""

from __future__ import annotations

import os


def available() -> list[int]:
    """Return the numbers of the CPUs that this process may use, in order; at least one."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
