from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from mobilenet_edge.errors import HostError
from mobilenet_edge.profiling.fleet import run_parallel


def test_all_are_worked_on_at_the_same_time():
    together = threading.Barrier(3, timeout=300)  # which three can only pass together

    def work(item: int) -> int:
        together.wait()
        return item * item

    assert dict(run_parallel(work, [2, 3, 4])) == {0: 4, 1: 9, 2: 16}


def test_results_come_as_they_are_ready():
    gates = [threading.Event(), threading.Event()]

    def work(index: int) -> str:
        assert gates[index].wait(10)
        return f"{index}"

    gates[1].set()
    results = run_parallel(work, [0, 1])
    assert next(results) == (1, "1")
    gates[0].set()
    assert next(results) == (0, "0")


def test_one_item_stays_in_this_thread():
    assert list(run_parallel(lambda _: threading.current_thread(), [None])) == [(0, threading.current_thread())]


@pytest.mark.parametrize("error", [HostError("gone"), ZeroDivisionError(), KeyboardInterrupt()])
@pytest.mark.parametrize("items", [[1], [1, 2]])
def test_a_failure_passes_through(error: BaseException, items: list[int]):
    with pytest.raises(type(error)):
        list(run_parallel(_raise(error), items))


def _raise(error: BaseException) -> Callable[[int], None]:
    def work(_: int) -> None:
        raise error

    return work
