"""The timing loop. What it times and the clock it reads are arguments, so it is tested with neither."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Stop:
    """When a phase is over: after at least `runs` runs and at least `seconds`, but never past `cap_seconds`.

    The cap is looked at after each run, so one slow run may overstep it.
    """

    runs: int = 1
    seconds: float = 0.0
    cap_seconds: float = float("inf")

    def reached(self, runs: int, elapsed_ns: int) -> bool:
        """Tell whether the phase is over after `runs` runs and `elapsed_ns` of wall time."""
        enough = runs >= self.runs and elapsed_ns >= self.seconds * 1e9
        return enough or elapsed_ns >= self.cap_seconds * 1e9


def repeat(
    invoke: Callable[[], object],
    stop: Stop,
    *,
    prepare: Callable[[], object] = lambda: None,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> list[int]:
    """Call `prepare` and then, timed, `invoke`, until `stop` is reached.

    Args:
        invoke: What is timed.
        stop: When to end; there is always one run.
        prepare: Called before each run outside its time, to put the next input in place.
        clock: Monotonic time in nanoseconds; read exactly twice a run.

    Returns:
        The time of each run in nanoseconds, in order.
    """
    times: list[int] = []
    began = None
    while True:
        prepare()
        start = clock()
        invoke()
        end = clock()
        times.append(end - start)
        began = start if began is None else began
        if stop.reached(len(times), end - began):
            return times
