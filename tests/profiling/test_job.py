from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.device.delegate import EDGETPU_OP
from mobilenet_edge.hosts.place import Delegate
from mobilenet_edge.profiling.feed import Feed
from mobilenet_edge.profiling.job import Job, JobResult
from mobilenet_edge.profiling.settings import Plan

CORAL = Delegate("/usr/lib/libedgetpu.so.1", (("device", "usb"),), from_device=True)
OTHER = Delegate("/usr/lib/libarmnn.so", from_device=True)


def test_requests_carry_the_plan_and_the_file(fake_host: Any, job: Any):
    host = fake_host()
    one = job(host, Plan(runs=6, seconds=0, max_seconds=3, rounds=3, seed=9, runtime="litert", rate=50), threads=2)
    with host:
        one.measure_memory(), one.measure_round(), one.profile_ops()
    memory, time, ops = host.requests
    assert memory == {"mode": "memory", "runtime": "litert", "threads": 2, "seed": 9}
    assert time == {
        **memory,
        "mode": "time",
        "warmup": {"runs": 5, "seconds": 0.15, "cap_seconds": 1},
        "steady": {"runs": 2, "seconds": 0, "cap_seconds": 1},
        "period_ns": 20 * 10**6,
    }
    assert ops == {**time, "mode": "ops"}
    assert host.files == [{"artifact": one.artifact.path}] * 3


def test_affinity_is_asked_for_in_every_mode(fake_host: Any, job: Any):
    host = fake_host()
    one = job(host, Plan(affinity=(0, 1)))
    with host:
        one.measure_memory(), one.measure_round(), one.profile_ops()
    assert [each["affinity"] for each in host.requests] == [[0, 1]] * 3


def test_images_are_a_file_more(fake_host: Any, job: Any):
    host, feed = fake_host(), Feed(Path("0.npy"), Preprocess((8, 8)), 1.0)
    with host:
        replace(job(host), feed=feed).measure_round()
    assert host.files[0]["inputs"] == Path("0.npy")


@pytest.mark.parametrize(
    ("delegate", "name", "ops", "taken"),
    [
        # A device's delegate is used where it has a use.
        (CORAL, "a.int8.tflite", {EDGETPU_OP: 1}, True),
        (CORAL, "a.int8.tflite", {"CONV_2D": 1}, False),
        (CORAL, "a.int8.onnx", {"Conv": 1}, False),
        (OTHER, "a.int8.tflite", {"CONV_2D": 1}, True),
        (OTHER, "a.int8.onnx", {"Conv": 1}, False),
        # One that was asked for always.
        (replace(CORAL, from_device=False), "a.int8.tflite", {"CONV_2D": 1}, True),
        (replace(OTHER, from_device=False), "a.int8.onnx", {"Conv": 1}, True),
    ],
)
def test_a_delegate_is_for_the_files_it_fits(
    delegate: Delegate, name: str, ops: dict[str, int], taken: bool, fake_host: Any, artifact: Any
):
    host = fake_host()
    with host:
        Job(artifact(name, ops=ops), 1, Plan(delegate=delegate), host).measure_memory()
    assert host.requests[0].get("delegate") == (delegate.request() if taken else None)


def test_steady_time_is_summed(job: Any, fake_host: Any):
    rounds = [{"usage": {"wall_ns": 10**9}, "times_ns": [1, 2]}, {"usage": {"wall_ns": 5 * 10**8}, "times_ns": [3]}]
    taken = JobResult(job(fake_host()), rounds=rounds)
    assert taken.steady_seconds == 1.5
    assert taken.times_ns == [[1, 2], [3]]
