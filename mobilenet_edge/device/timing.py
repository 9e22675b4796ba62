"""Run the timing loop; its clock and its sleep are arguments, so that tests need neither."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Stop:
    """End of a phase: after at least `runs` runs and at least `seconds`, or at the latest after `cap_seconds`.

    The cap is checked after each run, so one slow run may exceed it.
    """

    runs: int = 1
    seconds: float = 0.0
    cap_seconds: float = float("inf")

    def reached(self, runs: int, elapsed_ns: int) -> bool:
        """Return whether the phase is over after `runs` runs and `elapsed_ns` of wall time."""
        enough = runs >= self.runs and elapsed_ns >= self.seconds * 1e9
        return enough or self.capped(elapsed_ns)

    def capped(self, elapsed_ns: int) -> bool:
        """Return whether `elapsed_ns` has reached the cap."""
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
    """Time repeated calls until `stop` is reached.

    Args:
        invoke: The function to time.
        stop: End of the phase; there is always at least one run.
        prepare: Called before each run, untimed, to set the next input.
        between: Called after each run except the last, untimed, with the number of runs so far and the nanoseconds
            since the start of the first.
        period_ns: Time from one start to the next, filled by sleeping; None for no wait. A late run starts at once and
            the period counts from there: like dropped frames of a camera, lost time is not caught up.
        clock: Monotonic time in nanoseconds; read twice per run, and once more with a period.
        sleep: Function that sleeps for a number of seconds.

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
