"""The CPUs of this machine that this process may use, which need not be all."""

from __future__ import annotations

import os


def available() -> list[int]:
    """List their numbers, in order; never empty."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
