from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.profiling import merge, rounds
from mobilenet_edge.profiling.feed import Feed
from mobilenet_edge.profiling.job import Job, JobResult
from mobilenet_edge.profiling.pace import Pace
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.records import Profile, Remark

MS = 1_000_000
STARTED = "2026-11-01T12:00:00+00:00"


@pytest.fixture
def taken(fake_host: Any, job: Callable[..., Job], pace: Pace) -> Callable[..., JobResult]:
    """Measure one artifact on a fake host."""

    def taken(plan: Plan, **about: Any) -> JobResult:
        host = fake_host(**about)
        with host:
            (only,) = rounds.run([job(host, plan)], plan, pace)
        assert only.error is None
        return only

    return taken


@pytest.fixture
def made(taken: Callable[..., JobResult]) -> Callable[..., Profile]:
    def made(plan: Plan, limit: Any = None, **about: Any) -> Profile:
        return merge.profile(taken(plan, **about), STARTED, limit)

    return made


def test_energy_is_in_the_record(taken: Callable[..., JobResult]):
    result = taken(Plan())
    assert merge.profile(result, STARTED).energy is None
    result.energy = {
        "source": "meter", "how": "a meter", "mj": 2.5, "interval_mj": [2.0, 3.0], "idle_w": 3.0, "busy_w": 4.5,
        "pairs": 5, "seconds": 10.0, "runs": 900,
    }  # fmt: skip
    assert merge.profile(result, STARTED).energy == result.energy


def test_rounds_are_merged(made: Callable[..., Profile]):
    one = made(Plan(runs=10, rounds=3))
    # 10 runs in 3 rounds: 4 each, so that there are at least as many as asked.
    assert one.times_ns == (MS,) * 4 + (2 * MS,) * 4 + (3 * MS,) * 4
    assert one.round_sizes == (4, 4, 4)
    assert one.median_ms == 2
    assert (one.load_ms, one.first_ms) == (20, 40)
    assert (one.baseline_rss_bytes, one.peak_rss_bytes) == (40, 50)
    assert (one.runtime, one.runtime_version, one.threads) == ("litert", "2.3.0", 1)
    assert one.host == {
        "name": "fake",
        "cpu": "Fake",
        "cores": 2,
        "before": {"load": 1, "busy_ns": 0, "stolen_ns": 0},
        "after": {"load": 3.5, "busy_ns": 1000 * MS, "stolen_ns": 10 * MS},
    }


def test_conditions_say_how_it_was_measured(made: Callable[..., Profile]):
    one = made(Plan(runs=10, rounds=3, seconds=2, seed=5, affinity=(1,), rate=50))
    assert one.conditions == {
        "started": STARTED,
        "rounds": 3,
        "order": "shuffled in each round, a fresh process each",
        "runs": 10,
        "seconds": 2,
        "max_seconds": 60,
        "warmup": {"runs": 5, "seconds": 0.15},
        "warmup_runs": [5, 5, 5],
        "inputs": "noise",
        "input_shapes": [[1, 8, 8, 3]],
        "input_dtypes": ["int8"],
        "seed": 5,
        "affinity": [1],
        "rate_per_s": 50,
        # Of 3 x 1000 ms that all processes took, 3 x 900 were the worker's own.
        "usage": {
            "wall_ns": 3000 * MS,
            "cpu_ns": 2700 * MS,
            "involuntary_switches": 6,
            "others_ns": 300 * MS,
            "stolen_ns": 30 * MS,
        },
        "samples": [{"round": n, "at_ns": 1000 * MS, "runs": 2, "load": 0.5} for n in (1, 2, 3)],
        "concurrent": 2,
        "version": "0",
    }


def test_the_judge_has_its_say(made: Callable[..., Profile]):
    hot = {"host": {"cpu": "Fake", "cores": 2}, "after": {"throttled": ["temperature"]}}
    one = made(Plan(runs=30, rounds=3), extra={"time": hot})
    assert "rounds-differ" in {doubt.code for doubt in one.doubts}
    assert one.invalid == Remark("throttled", reasons=["temperature"])


def test_facts_of_a_delegate_are_in_the_record(made: Callable[..., Profile]):
    found = {"path": "x.so", "options": {}, "nodes": 30, "total": 31, "kind": "other"}
    assert made(Plan(), extra={"time": {"delegate": found}}).delegate == found


def test_a_sustained_run_has_a_trace(made: Callable[..., Profile]):
    # 300 runs of 0.5 s each, as the fake says; two samples agree with it.
    samples = [{"at_ns": n * 60_000 * MS, "runs": n * 120, "temperature_c": 40.0 + n} for n in (1, 2)]
    about = {"times_ns": [500 * MS] * 300, "samples": samples}
    one = made(Plan(sustain_seconds=150), extra={"time": about})
    assert [(each["minute"], each["runs"], each["median_ms"]) for each in one.trace] == [
        (1, 120, 500), (2, 120, 500), (3, 60, 500),
    ]  # fmt: skip
    assert [each.get("temperature_c") for each in one.trace] == [None, 41.0, 42.0]
    assert made(Plan()).trace == ()


def test_operators_are_joined(made: Callable[..., Profile]):
    document = {
        "ops": [{"index": 0, "name": "c", "kind": "CONV_2D", "ns": 1500}],
        "total_ns": 2 * MS,
        "how": "one by one",
    }
    one = made(Plan(ops=True), extra={"ops": document})
    assert one.ops is not None
    assert [(each["index"], each["kind"], each["ms"]) for each in one.ops] == [(0, "CONV_2D", 0.0015)]
    assert one.conditions["ops"] == {"how": "one by one", "whole_ms": 2.0}


def test_the_limit_is_in_the_record(made: Callable[..., Profile]):
    document = {"version": "0", "runtime": "litert", "runtime_version": "2", "float32_gmacs": 40.0, "how": "a product"}
    assert made(Plan(), document).limit == {"float32_gmacs": 40.0, "how": "a product"}
    without = made(Plan(), "no room")
    assert without.limit is None
    assert without.notes == (Remark("no-limit", reason="no room"),)
    assert made(Plan()).notes == ()


def test_images_are_timed_on_this_machine_only(taken: Callable[..., JobResult]):
    away = taken(Plan())
    away.job = replace(away.job, feed=Feed(Path("0.npy"), Preprocess((8, 8)), 1.5, ("preprocessing (assumed: …)",)))
    one = merge.profile(away, STARTED)
    assert one.preprocess_ms is None
    assert one.conditions["preprocess"]["size"] in ((8, 8), [8, 8])
    assert one.notes == (Remark("assumed", what="preprocessing (assumed: …)"), Remark("preprocessing-elsewhere"))
    here = away
    here.job = replace(away.job, host=Local("bench"))
    one = merge.profile(here, STARTED)
    assert one.preprocess_ms == 1.5
    assert one.notes[1] == Remark("preprocessing", preprocess_ms=1.5)


def test_a_median_that_is_not_known_well_enough_is_doubted(made: Callable[..., Profile]):
    # Rounds of 1, 2 … 5 ms know nothing of their median.
    plan = Plan(runs=30, rounds=3, until=0.01, max_seconds=5)
    (doubt,) = (each for each in made(plan).doubts if each.code == "median-wide")
    assert doubt.values["reached"] > doubt.values["asked"] == 0.01
    assert not any(each.code == "median-wide" for each in made(plan, times=lambda _: MS).doubts)


def test_a_rate_that_was_not_held_is_doubted(made: Callable[..., Profile]):
    # 12 ms a run: 83.3 a second at most.
    doubts = made(Plan(runs=30, rounds=1, rate=100), times=lambda _: 12 * MS).doubts
    assert Remark("rate-missed", rate_per_s=100, median_ms=12.0, reachable_per_s=1e3 / 12) in doubts
    assert not any(each.code == "rate-missed" for each in made(Plan(rate=50), times=lambda _: 12 * MS).doubts)


def test_a_failure_says_of_what(job: Callable[..., Job], fake_host: Any):
    error = InputError("cut\noff")
    made = merge.failure(job(fake_host("pi4"), threads=2), str(error), error.exit_code)
    assert (made.variant, made.format, made.precision, made.threads) == ("a", "tflite", "int8", 2)
    assert (made.host, made.stage, made.reason, made.exit_code) == ("pi4", "profile", "cut off", 3)


def test_the_rate_of_several_processes_is_that_of_all(made: Callable[..., Profile]):
    members = [{"times_ns": [4 * MS] * 500, "late_ns": 0}, {"times_ns": [8 * MS] * 250, "late_ns": MS // 2}]
    document = {"window_ns": 2000 * MS, "members": members}
    one = made(Plan(rounds=1, processes=2), extra={"parallel": document})
    assert one.parallel == {
        "processes": 2, "seconds": 2.0, "runs": [500, 250],
        "images_per_s": 375.0, "median_ms": 4.0, "p90_ms": 8.0, "late_ms": 0.5,
    }  # fmt: skip
    # A model that takes longer than the window: no run is known.
    none = made(
        Plan(rounds=1, processes=2), extra={"parallel": {**document, "members": [{"times_ns": [], "late_ns": 0}] * 2}}
    )
    assert (none.parallel["images_per_s"], none.parallel["median_ms"]) == (0, None)
    assert made(Plan()).parallel is None
