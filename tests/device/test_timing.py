from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenet_edge.device.timing import Stop, repeat


def ticking(ticks: Iterable[int]) -> Callable[[], int]:
    iterator = iter(ticks)
    return lambda: next(iterator)


def steady(step_ns: int) -> Callable[[], int]:
    """A clock by which each run takes `step_ns`, and nothing passes between runs."""
    return ticking(tick for run in range(10**6) for tick in (run * step_ns, (run + 1) * step_ns))


def test_each_time_is_from_before_to_after_the_call():
    # Between 5 and 10 the next input was prepared: nobody's time.
    assert repeat(lambda: None, Stop(runs=2), clock=ticking([0, 5, 10, 17])) == [5, 7]


def test_prepare_comes_before_each_run():
    calls: list[str] = []
    repeat(lambda: calls.append("run"), Stop(runs=2), prepare=lambda: calls.append("prepare"))
    assert calls == ["prepare", "run", "prepare", "run"]


def test_prepare_is_not_timed():
    now = 0

    def advance(by: int) -> None:
        nonlocal now
        now += by

    times = repeat(lambda: advance(3), Stop(runs=3), prepare=lambda: advance(1000), clock=lambda: now)
    assert times == [3, 3, 3]


def test_there_is_always_one_run():
    assert len(repeat(lambda: None, Stop(runs=0, seconds=0, cap_seconds=0), clock=steady(1))) == 1


def test_seconds_go_on_after_runs_are_enough():
    # 0.5 s a run: 2 s are reached with the fourth.
    assert len(repeat(lambda: None, Stop(runs=2, seconds=2), clock=steady(500_000_000))) == 4


def test_runs_go_on_after_seconds_are_enough():
    assert len(repeat(lambda: None, Stop(runs=7, seconds=2), clock=steady(500_000_000))) == 7


def test_cap_ends_a_slow_phase():
    # 2 s a run: the second oversteps the cap of 3 s, and no third is begun.
    assert len(repeat(lambda: None, Stop(runs=50, seconds=1, cap_seconds=3), clock=steady(2_000_000_000))) == 2


def test_time_between_runs_counts_for_the_stop():
    clock = ticking([0, 1, 2_000_000_000, 2_000_000_001])
    assert repeat(lambda: None, Stop(runs=1, seconds=2), clock=clock) == [1, 1]


class Day:
    """A clock that only runs and sleeps move."""

    def __init__(self, *runs_ns: int) -> None:
        self.now = 0
        self.runs = iter(runs_ns)
        self.starts: list[int] = []
        self.sleeps: list[float] = []

    def clock(self) -> int:
        return self.now

    def invoke(self) -> None:
        self.starts.append(self.now)
        self.now += next(self.runs)

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += round(seconds * 1e9)

    def repeat(self, stop: Stop, **options: Any) -> list[int]:
        return repeat(self.invoke, stop, clock=self.clock, sleep=self.sleep, **options)


def test_a_pace_is_from_start_to_start():
    day = Day(30, 20, 90)
    assert day.repeat(Stop(runs=3), period_ns=100) == [30, 20, 90]
    assert day.starts == [0, 100, 200]
    # What a run leaves of its 100 ns; nothing is slept after the last.
    assert day.sleeps == pytest.approx([70e-9, 80e-9])


def test_a_late_run_starts_at_once_and_nothing_is_caught_up():
    day = Day(30, 250, 30, 30)
    day.repeat(Stop(runs=4), period_ns=100)
    # The second ends at 350, when the third was due at 200; the fourth comes 100 after that, not at once.
    assert day.starts == [0, 100, 350, 450]


def test_a_run_that_takes_its_whole_period_is_not_followed_by_sleep():
    day = Day(100, 100)
    day.repeat(Stop(runs=2), period_ns=100)
    assert day.starts == [0, 100]
    assert day.sleeps == []


def test_oversleeping_does_not_add_up():
    day = Day(*[10] * 5)
    sleep = day.sleep
    day.sleep = lambda seconds: sleep(seconds + 7e-9)
    day.repeat(Stop(runs=5), period_ns=100)
    assert day.starts == [0, 107, 207, 307, 407]


def test_no_run_is_waited_for_that_would_be_past_the_cap():
    day = Day(*[10] * 9)
    # Due at 0, 1 and 2 s; the next at 3 s, when the cap of 2.5 s has passed.
    assert day.repeat(Stop(runs=9, cap_seconds=2.5), period_ns=10**9) == [10] * 3
    assert day.now == 2 * 10**9 + 10


def test_what_comes_between_runs_is_in_no_time():
    day = Day(5, 6, 7)
    seen: list[tuple[int, int]] = []

    def between(runs: int, elapsed_ns: int) -> None:
        seen.append((runs, elapsed_ns))
        day.now += 1000

    assert day.repeat(Stop(runs=3), between=between) == [5, 6, 7]
    # After the first run, and after the second, which began at 5 + 1000; not after the last.
    assert seen == [(1, 5), (2, 5 + 1000 + 6)]


def test_what_comes_between_runs_is_in_the_pace():
    day = Day(5, 5)
    day.repeat(Stop(runs=2), period_ns=100, between=lambda *_: setattr(day, "now", day.now + 40))
    assert day.starts == [0, 100]
    assert day.sleeps == pytest.approx([55e-9])


def test_failure_of_the_model_passes_through():
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        repeat(fail, Stop(runs=3))


@given(
    step=st.integers(1, 10**9),
    runs=st.integers(0, 200),
    seconds=st.floats(0, 2),
    cap=st.floats(0, 3),
)
def test_a_phase_is_the_shortest_that_its_stop_allows(step: int, runs: int, seconds: float, cap: float):
    stop = Stop(runs, seconds, cap)
    # A run of a microsecond or more keeps the count, and this test, short.
    step = max(step, 10**6)
    count = len(repeat(lambda: None, stop, clock=steady(step)))
    assert stop.reached(count, count * step)
    assert count == 1 or not stop.reached(count - 1, (count - 1) * step)
