from __future__ import annotations

from typing import Any

import pytest

from mobilenet_edge.errors import UsageError
from mobilenet_edge.hosts.place import Delegate
from mobilenet_edge.profiling.settings import Plan


def test_phases_are_shared_out_over_rounds():
    plan = Plan(runs=50, seconds=3, max_seconds=30, rounds=3)
    # 50 runs in 3 rounds are 17 each, so that there are at least as many as asked.
    assert plan.timing() == {
        "warmup": {"runs": 5, "seconds": 0.15, "cap_seconds": 10},
        "steady": {"runs": 17, "seconds": 1, "cap_seconds": 10},
    }
    # Both phases up to their cap must fit in.
    assert plan.limit_seconds > 20


def test_there_are_no_more_rounds_than_runs():
    assert Plan(runs=2, rounds=5).round_count == 2


def test_a_round_takes_no_longer_than_what_is_left():
    steady = Plan(seconds=3, max_seconds=30, rounds=3).timing(max_seconds=0.5)["steady"]
    assert (steady["seconds"], steady["cap_seconds"]) == (0.5, 0.5)


def test_a_sustained_run_is_one_phase_of_its_length():
    plan = Plan(sustain_seconds=600, runs=50)
    assert plan.round_count == 1
    assert plan.timing()["steady"] == {"runs": 1, "seconds": 600, "cap_seconds": 600}
    assert plan.conditions()["sustain_seconds"] == 600
    # The doubt that time ran out is about runs that were asked for.
    assert plan.conditions()["runs"] == 1


def test_a_long_phase_is_looked_at_less_often():
    assert "sample_seconds" not in Plan(sustain_seconds=600).timing()
    assert Plan(sustain_seconds=3600).timing()["sample_seconds"] == 6


def test_a_rate_is_a_period():
    plan = Plan(rate=5)
    assert plan.timing()["period_ns"] == 200_000_000
    assert plan.conditions()["rate_per_s"] == 5
    assert "period_ns" not in Plan().timing()
    # At one run in 50 s, the last one may begin just before the cap and wait for its turn before that.
    assert Plan(rate=0.02).limit_seconds - Plan().limit_seconds == pytest.approx(50)


def test_every_worker_is_asked_alike():
    plan = Plan(runtime="litert", seed=9, affinity=(1, 0))
    assert plan.request(2) == {"runtime": "litert", "threads": 2, "seed": 9, "affinity": [1, 0]}
    assert "affinity" not in Plan().request(1)


def test_what_was_not_asked_is_not_in_the_conditions():
    assert {"until", "rate_per_s", "cooldown_seconds", "sustain_seconds"}.isdisjoint(Plan().conditions())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runs": 0}, "--runs must be at least 1, got 0"),
        ({"rounds": 0}, "--rounds must be at least 1, got 0"),
        ({"seconds": -1}, "--seconds must be 0 or more, got -1"),
        ({"seconds": float("nan")}, "--seconds must be 0 or more, got nan"),
        ({"cooldown_seconds": float("inf")}, "--cooldown must be 0 or more, got inf"),
        ({"max_seconds": 0}, "--max-seconds must be above 0, got 0"),
        ({"max_seconds": float("inf")}, "--max-seconds must be above 0, got inf"),
        ({"sustain_seconds": 0}, "--sustain must be above 0, got 0"),
        ({"affinity": (-1,)}, "--affinity -1: CPUs are counted from 0"),
        ({"until": 0}, "--until must lie between 0% and 100%, got 0"),
        ({"until": 1}, "--until must lie between 0% and 100%, got 100"),
        ({"rate": 0}, "--rate must lie between 1/min and 1000000/s, got 0/s"),
        ({"rate": 2e6}, "--rate must lie between 1/min and 1000000/s, got 2e"),
        ({"until": 0.02, "sustain_seconds": 60}, "give one of them"),
    ],
)
def test_numbers_out_of_range_are_refused(options: dict[str, Any], message: str):
    with pytest.raises(UsageError) as caught:
        Plan(**options)
    assert message in str(caught.value)


def test_a_delegate_is_read():
    delegate = Delegate.parse("/lib/x.so", ["device=usb", "path=a=b"])
    assert delegate == Delegate("/lib/x.so", (("device", "usb"), ("path", "a=b")))
    assert delegate.request() == {"path": "/lib/x.so", "options": {"device": "usb", "path": "a=b"}}
    assert Delegate.parse(None, []) is None


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("x.so", ["usb"], "--delegate-option 'usb' is not KEY=VALUE"),
        ("x.so", ["=usb"], "--delegate-option '=usb' is not KEY=VALUE"),
        ("x.so", ["a=1", "a=2"], "is given twice"),
        (None, ["a=1"], "needs a delegate; give the path of its library with --delegate"),
    ],
)
def test_a_delegate_that_is_none_is_refused(path: str | None, options: list[str], message: str):
    with pytest.raises(UsageError) as caught:
        Delegate.parse(path, options)
    assert message in str(caught.value)
