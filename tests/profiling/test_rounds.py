from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest

from mobilenet_edge.errors import HostError, InputError
from mobilenet_edge.hosts.place import Delegate
from mobilenet_edge.profiling import rounds
from mobilenet_edge.profiling.pace import Pace
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.records import Remark

MS = 1_000_000
NAMES = ("a.int8.tflite", "b.int8.onnx")


@pytest.fixture
def measured(job: Callable[..., Any], pace: Pace) -> Callable[..., Any]:
    """Run all of `NAMES` at the thread counts given."""

    def measured(host: Any, plan: Plan, threads: tuple[int, ...] = (1,)) -> Any:
        with host:
            return rounds.run([job(host, plan, name=name, threads=n) for name in NAMES for n in threads], plan, pace)

    return measured


def test_memory_comes_first_and_rounds_are_interleaved(fake_host: Any, measured: Any):
    host = fake_host()
    measured(host, Plan(rounds=4), (1, 2))
    assert [mode for _, _, mode in host.asked] == ["memory"] * 4 + ["time"] * 16
    turns = [host.asked[start : start + 4] for start in range(4, 20, 4)]
    # Each round holds each job once, and the four are not all in one order.
    assert all(sorted(each) == sorted(turns[0]) for each in turns)
    assert len({tuple(each) for each in turns}) > 1


def test_a_seed_fixes_the_order(fake_host: Any, measured: Any):
    hosts = [fake_host(), fake_host(), fake_host()]
    for host, seed in zip(hosts, (3, 3, 4), strict=True):
        measured(host, Plan(rounds=6, seed=seed), (1, 2))
    assert hosts[0].asked == hosts[1].asked
    assert hosts[0].asked != hosts[2].asked


def test_the_bar_goes_over_every_process(fake_host: Any, measured: Any, bar: Any):
    host, plan = fake_host(), Plan(rounds=3, ops=True)
    results = measured(host, plan, (1, 2))
    # Four jobs: a memory pass, three rounds, and the operators of each.
    assert bar.done == rounds.steps([each.job for each in results], plan) == 20
    assert len(host.asked) == 20


def test_a_file_that_cannot_run_is_not_timed(fake_host: Any, measured: Any):
    error = InputError("corrupt")
    host = fake_host(fails={("a.int8.tflite", "memory"): error})
    first, second = measured(host, Plan(rounds=2))
    assert (first.error, first.rounds) == (error, [])
    assert (second.error, len(second.rounds)) == (None, 2)


def test_a_file_that_fails_in_a_round_is_left_out_from_there(fake_host: Any, measured: Any):
    host = fake_host(fails={("b.int8.onnx", "time"): HostError("crashed")})
    first, second = measured(host, Plan(rounds=3))
    assert len(first.rounds) == 3
    assert str(second.error) == "crashed"
    assert [name for name, _, mode in host.asked if mode == "time"].count("b.int8.onnx") == 1


def test_rounds_go_on_until_the_median_is_known(fake_host: Any, measured: Any, bar: Any):
    # Rounds of 1.00 and 1.04 ms in turn: with every further one the median is known better.
    turn = cycle((1_000_000, 1_040_000))
    host = fake_host(times=lambda _: next(turn))
    few, many = (measured(host, Plan(rounds=3, runs=30, until=until)) for until in (0.5, 0.02))
    assert [len(each.rounds) for each in few] == [3, 3]
    assert all(len(each.rounds) > 3 for each in many)
    assert all(rounds.width(each.times_ns) <= 0.02 for each in many)
    assert bar.total == sum(len(each.rounds) - 3 for each in many)


def test_rounds_end_with_the_time(fake_host: Any, measured: Any):
    # Each round takes a second, as the fake's usage says, and its median is far from the others'.
    host = fake_host(times=lambda turn: turn * MS)
    results = measured(host, Plan(rounds=3, runs=30, until=0.001, max_seconds=7))
    assert [len(each.rounds) for each in results] == [7, 7]
    # The share of a first round is 7/3 s; the seventh may only take the one second that is left.
    caps = [each["steady"]["cap_seconds"] for each in host.requests if each["mode"] == "time"]
    assert caps[0] == pytest.approx(7 / 3)
    assert caps[-1] == pytest.approx(1)


def test_the_limit_is_measured_once_for_each_runtime_and_thread_count(
    fake_host: Any, measured: Any, pace: Pace, bar: Any
):
    host, plan = fake_host(extra={"limit": {"float32_gmacs": 40.0}}), Plan(rounds=2)
    results = measured(host, plan, (1, 2))
    with host:
        found = rounds.measure_limits(results, host, plan, pace)
    assert set(found) == {(runtime, threads) for runtime in ("litert", "onnxruntime") for threads in (1, 2)}
    assert [mode for _, _, mode in host.asked].count("limit") == 4
    assert bar.total == 4
    assert all(rounds.limit_of(each, found)["float32_gmacs"] == 40.0 for each in results)
    assert {each["runtime"] for each in host.requests if each["mode"] == "limit"} == {"litert", "onnxruntime"}


def test_a_limit_that_fails_costs_only_itself(fake_host: Any, measured: Any, pace: Pace):
    host, plan = fake_host(fails={("", "limit"): HostError("no room")}), Plan(rounds=2)
    results = measured(host, plan)
    with host:
        found = rounds.measure_limits(results, host, plan, pace)
    assert rounds.limit_of(results[0], found) == "no room"
    assert [each.error for each in results] == [None, None]


def test_what_failed_or_ran_on_a_delegate_has_no_limit(fake_host: Any, job: Any, pace: Pace):
    plan = Plan(rounds=1, runtime="litert", delegate=Delegate("x.so"))
    host = fake_host(fails={"b.int8.tflite": InputError("corrupt")})
    jobs = [job(host, plan), job(host, Plan(rounds=1), name="b.int8.tflite")]
    with host:
        results = rounds.run(jobs, plan, pace)
        assert rounds.measure_limits(results, host, plan, pace) == {}
    assert rounds.limit_of(results[0], {}) is None


def test_operators_that_fail_are_a_remark(fake_host: Any, measured: Any):
    host = fake_host(fails={("a.int8.tflite", "ops"): InputError("two subgraphs")}, extra={"ops": {"ops": []}})
    first, second = measured(host, Plan(rounds=1, ops=True))
    assert (first.error, first.ops) == (None, None)
    assert first.remarks == [Remark("no-ops", reason="two subgraphs")]
    assert second.ops["ops"] == []


def test_half_the_interval_is_the_width():
    # Equal runs in equal rounds: nothing to doubt.
    assert rounds.width([[1000] * 10] * 3) == 0
    assert rounds.width([[1000] * 5]) is None


def test_several_processes_are_measured_once(fake_host: Any, measured: Any):
    host = fake_host(fails={("a.int8.tflite", "parallel"): HostError("no room")}, extra={"parallel": {"members": []}})
    first, second = measured(host, Plan(rounds=2, processes=4))
    assert (first.error, first.parallel, first.remarks) == (None, None, [Remark("no-parallel", reason="no room")])
    assert second.parallel["members"] == []
    asked = [each for each in host.requests if each["mode"] == "parallel"]
    assert [(each["processes"], each["steady"]) for each in asked] == [(4, {"seconds": 1.0})] * 2


def window(at: float, runs: int, joules: float) -> dict[str, Any]:
    return {"start": at, "end": at + 2, "runs": runs, "joules": joules}


def test_energy_is_measured_last_and_its_failure_is_a_remark(fake_host: Any, measured: Any, bar: Any):
    windows = [window(0, 0, 2.0), window(2, 100, 4.0), window(4, 0, 2.0), window(6, 100, 4.0)]
    answer = {"source": "package", "how": "RAPL", "windows": windows, "samples": [], "now_s": 8.0}
    host = fake_host(extra={"energy": answer}, fails={("b.int8.onnx", "energy"): HostError("it tells nothing")})
    plan = Plan(rounds=1, energy=True)
    first, second = results = measured(host, plan)
    assert first.energy["mj"] == pytest.approx(20)
    assert (second.error, second.energy) == (None, None)
    assert second.remarks == [Remark("no-energy", reason="it tells nothing")]
    assert [mode for _, _, mode in host.asked] == ["memory", "memory", "time", "time", "energy", "energy"]
    assert bar.done == rounds.steps([each.job for each in results], plan) == 6
    request = host.requests[-1]
    assert (request["steady"], request["external"]) == ({"seconds": 2.0}, False)
    # Ten windows of two seconds beside the limit of any other request.
    assert host.limits[-1] == host.limits[0] + 20
