"""Work in a thread: its result, its failure, and its end where nobody waits for it any more."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from threading import Event

import pytest

from mobilenet_edge import cpus
from mobilenet_edge.conversion import background
from mobilenet_edge.graph.threads import workers


def test_the_result_and_each_step_arrive():
    steps: list[int] = []

    def work(step: Callable[[], None]) -> int:
        step()
        step()
        return 7

    with ThreadPoolExecutor(1) as pool, background.start(pool, work, lambda: steps.append(1)) as future:
        assert future.result() == 7
    assert len(steps) == 2


def test_a_failure_is_raised_where_the_result_is_asked_for():
    def work(step: Callable[[], None]) -> None:
        raise ValueError("not finite")

    with (
        ThreadPoolExecutor(1) as pool,
        background.start(pool, work, lambda: None) as future,
        pytest.raises(ValueError, match="not finite"),
    ):
        future.result()


def test_work_ends_at_its_next_step_once_the_block_is_left():
    begun, left, steps = Event(), Event(), []

    def work(step: Callable[[], None]) -> None:
        begun.set()
        left.wait(10)
        step()
        steps.append("after")

    with ThreadPoolExecutor(1) as pool:
        with background.start(pool, work, lambda: steps.append("counted")) as future:
            begun.wait(10)
        left.set()
        with pytest.raises(CancelledError):
            future.result(10)
    assert steps == []


def test_work_begins_nothing_more_in_its_pools_once_the_block_is_left():
    begun, left, done = Event(), Event(), []

    def look(image: int) -> None:
        begun.set()
        left.wait(10)
        done.append(image)

    def work(step: Callable[[], None]) -> None:
        with workers() as inner:
            list(inner.map(look, range(100)))

    with ThreadPoolExecutor(1) as pool:
        with background.start(pool, work) as future:
            begun.wait(10)
        left.set()
        with pytest.raises(CancelledError):
            future.result(10)
    assert len(done) <= len(cpus.available())
