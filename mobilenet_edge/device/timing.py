"""The timing loop. What it times, its clock and its sleep are arguments, so it is tested with none of them."""

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
        return enough or self.capped(elapsed_ns)

    def capped(self, elapsed_ns: int) -> bool:
        """Tell whether the phase may not go on, enough or not."""
        return elapsed_ns >= self.cap_seconds * 1e9


def _nothing(*_: int) -> None:
    pass


def repeat(
    invoke: Callable[[], object],
    stop: Stop,
    *,
    prepare: Callable[[], object] = _nothing,
    between: Callable[[int, int], object] = _nothing,
    period_ns: int | None = None,
    clock: Callable[[], int] = time.perf_counter_ns,
    sleep: Callable[[float], object] = time.sleep,
) -> list[int]:
    """Call `prepare` and then, timed, `invoke`, until `stop` is reached.

    Args:
        invoke: What is timed.
        stop: When to end; there is always one run.
        prepare: Called before each run outside its time, to put the next input in place.
        between: Called after each run but the last, outside any time, with the number of runs so far and the
            nanoseconds since the first began.
        period_ns: From one start to the next, the time between slept away; None for no wait. A run that is late starts
            at once, and the pace is kept from there: nothing is caught up, as a camera drops frames.
        clock: Monotonic time in nanoseconds; read exactly twice a run, and once more where there is a pace.
        sleep: Takes seconds.

    Returns:
        The time of each run in nanoseconds, in order.
    """
    times: list[int] = []
    began = due = 0
    while True:
        prepare()
        start = clock()
        invoke()
        end = clock()
        times.append(end - start)
        if len(times) == 1:
            began = due = start
        if stop.reached(len(times), end - began):
            return times
        between(len(times), end - began)
        if period_ns is not None:
            due = max(due + period_ns, now := clock())
            if stop.capped(due - began):
                return times
            if due > now:
                sleep((due - now) / 1e9)
