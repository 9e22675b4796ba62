from __future__ import annotations

from typing import Any

import pytest

from mobilenet_edge.errors import HostError
from mobilenet_edge.hosts import Unreachable
from mobilenet_edge.profiling.pace import Pace


def test_the_machine_cools_before_each_process_but_the_first(bar: Any):
    done: list[Any] = []
    pace = Pace(bar, 2.5, sleep=done.append)
    for name in "abc":
        assert pace(name, lambda name=name: done.append(name)) is None
    assert done == ["a", 2.5, "b", 2.5, "c"]


def test_without_a_pause_nothing_sleeps(bar: Any):
    pace = Pace(bar, 0.0, sleep=lambda _: pytest.fail("slept"))
    pace("a", int)
    pace("b", int)


def test_a_failure_is_returned_and_counted(bar: Any):
    error = HostError("crashed")
    pace = Pace(bar)
    pace.extend(2)
    assert pace("a", _raising(error)) is error
    assert (bar.done, bar.total, bar.said) == (1, 2, ["a"])


@pytest.mark.parametrize("error", [Unreachable("off"), ZeroDivisionError()])
def test_what_ends_everything_passes_through(bar: Any, error: Exception):
    with pytest.raises(type(error)):
        Pace(bar)("a", _raising(error))


def _raising(error: Exception) -> Any:
    def work() -> None:
        raise error

    return work
