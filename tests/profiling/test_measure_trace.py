from __future__ import annotations

import pytest

from mobilenet_edge.profiling.trace import MINUTE_NS, minutes

SECOND = 10**9


def test_runs_belong_to_the_minute_in_which_they_began():
    # 3 runs of 25 s: they begin at 0, 25 and 50 s; the fourth at 75 s.
    rows = minutes([25 * SECOND] * 4, [])
    assert [(row["minute"], row["runs"]) for row in rows] == [(1, 3), (2, 1)]


def test_a_run_that_begins_with_a_minute_is_of_that_minute():
    rows = minutes([MINUTE_NS, MINUTE_NS], [])
    assert [(row["minute"], row["runs"]) for row in rows] == [(1, 1), (2, 1)]


def test_samples_say_when_runs_were():
    # 10 runs of 1 s, but the clock says that half of them were done after 2 minutes: something else took time.
    samples = [{"at_ns": 2 * MINUTE_NS, "runs": 4}]
    # They begin at 0, 30, 60, 90 s, and the rest from 120 s on.
    rows = minutes([SECOND] * 10, samples)
    assert [(row["minute"], row["runs"]) for row in rows] == [(1, 2), (2, 2), (3, 6)]


def test_paced_runs_begin_with_their_period():
    # Every 20 s, although each takes one: three in a minute.
    rows = minutes([SECOND] * 7, [], period_ns=20 * SECOND)
    assert [row["runs"] for row in rows] == [3, 3, 1]


def test_a_minute_without_a_run_has_no_line():
    rows = minutes([200 * SECOND, SECOND], [])
    assert [(row["minute"], row["runs"]) for row in rows] == [(1, 1), (4, 1)]


def test_median_and_percentile_are_of_the_minute():
    # 20 runs of 1, 2 … 20 ms: the middle lies between 10 and 11, the 18th of 20 is the 90th percentile.
    (row,) = minutes([ms * 10**6 for ms in range(20, 0, -1)], [])
    assert (row["median_ms"], row["p90_ms"]) == (10.5, 18)
    (row,) = minutes([10**6] * 9, [])
    assert row["p90_ms"] is None


def test_what_moved_is_the_worst_of_the_minute():
    samples = [
        {"at_ns": 10 * SECOND, "runs": 10, "temperature_c": 50.0, "mhz": [600, 1500], "throttled": []},
        {"at_ns": 20 * SECOND, "runs": 20, "temperature_c": 61.5, "mhz": [600, 1200], "throttled": ["temperature"]},
        {"at_ns": 30 * SECOND, "runs": 30, "temperature_c": 60.0, "mhz": [1500, 600], "throttled": []},
        {"at_ns": 70 * SECOND, "runs": 70, "temperature_c": 55.0},
    ]
    first, second = minutes([SECOND] * 80, samples)
    assert (first["temperature_c"], first["mhz"], first["throttled"]) == (61.5, 1200, ["temperature"])
    assert (second["temperature_c"], second.get("mhz"), second.get("throttled")) == (55.0, None, None)


def test_no_run_is_lost():
    samples = [{"at_ns": round(1.7 * each * SECOND), "runs": 3 * each} for each in range(1, 120)]
    rows = minutes([SECOND // 2] * 400, samples)
    assert sum(row["runs"] for row in rows) == 400
    assert [row["minute"] for row in rows] == sorted({row["minute"] for row in rows})


@pytest.mark.parametrize("samples", [[], [{"at_ns": 5, "runs": 1}]])
def test_one_run_is_one_minute(samples):
    assert [row["runs"] for row in minutes([7], samples)] == [1]
