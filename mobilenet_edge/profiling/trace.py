"""Summarise a sustained run minute by minute, to show the effect of heat."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

MINUTE_NS: Final = 60 * 10**9

Sample = Mapping[str, Any]


def minutes(times_ns: Sequence[int], samples: Sequence[Sample], period_ns: int | None = None) -> list[dict[str, Any]]:
    """Summarise one steady phase minute by minute.

    A run belongs to the minute in which it started. The start times are interpolated between the samples.

    Args:
        times_ns: Time of every run, in order.
        samples: {"at_ns", "runs", …} with the number of completed runs at a time since the start of the phase, and the
            state of the machine.
        period_ns: Time between the starts of paced runs, or None for runs without pauses.

    Returns:
        {"minute" (from 1), "runs", "median_ms", "p90_ms"} for each minute with a run. If the samples have them, also
        "temperature_c" (highest), "mhz" (lowest of the fastest core) and "throttled" (causes).
    """
    starts = _starts(times_ns, samples, period_ns)
    edges = [0]
    while edges[-1] < len(starts):
        minute = starts[edges[-1]] // MINUTE_NS
        edges.append(bisect_left(starts, (minute + 1) * MINUTE_NS, lo=edges[-1]))
    rows = []
    for first, last in pairwise(edges):
        minute = int(starts[first] // MINUTE_NS)
        current = [sample for sample in samples if sample["at_ns"] // MINUTE_NS == minute]
        rows.append({"minute": minute + 1, **_summary(times_ns[first:last]), **dict(_state(current))})
    return rows


def _starts(times_ns: Sequence[int], samples: Sequence[Sample], period_ns: int | None) -> list[float]:
    """Estimate the start of each run, in nanoseconds since the start of the phase; ascending."""
    starts: list[float] = []
    done, elapsed = 0, 0.0
    for sample in samples:
        more = sample["runs"] - done
        if more > 0:
            step = (sample["at_ns"] - elapsed) / more
            starts += [elapsed + index * step for index in range(more)]
            done, elapsed = sample["runs"], float(sample["at_ns"])
    for time_ns in times_ns[done:]:
        starts.append(elapsed)
        elapsed += max(time_ns, period_ns or 0)
    return starts[: len(times_ns)]


def _summary(times_ns: Sequence[int]) -> dict[str, Any]:
    ordered = sorted(times_ns)
    return {
        "runs": len(ordered),
        "median_ms": statistics.median(ordered) / 1e6,
        "p90_ms": ordered[math.ceil(len(ordered) * 0.9) - 1] / 1e6 if len(ordered) >= 10 else None,
    }


def _state(samples: Sequence[Sample]) -> Iterator[tuple[str, Any]]:
    if temperatures := [sample["temperature_c"] for sample in samples if "temperature_c" in sample]:
        yield "temperature_c", max(temperatures)
    if fastest := [max(sample["mhz"]) for sample in samples if sample.get("mhz")]:
        yield "mhz", min(fastest)
    if any("throttled" in sample for sample in samples):
        yield "throttled", sorted({word for sample in samples for word in sample.get("throttled", ())})
