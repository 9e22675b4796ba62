from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mobilenet_edge.errors import HostError, InputError, UsageError
from mobilenet_edge.hosts import Unreachable
from mobilenet_edge.hosts.place import Delegate
from mobilenet_edge.profiling.machine import Machine, Result, measure
from mobilenet_edge.profiling.settings import Plan

MS = 1_000_000
OWN = Delegate("/lib/own.so", from_device=True)


@pytest.fixture
def measured(artifact: Callable[..., Any], bar: Any) -> Callable[..., Result]:
    def measured(target: Machine, plan: Plan, *, names: tuple[str, ...], threads: tuple[int, ...] = (1,)) -> Result:
        return measure(target, [artifact(name) for name in names], threads, plan, {}, lambda *_: bar)

    return measured


def test_records_are_in_order_and_the_host_is_left(fake_host: Any, measured: Any):
    host = fake_host(fails={"b.int8.tflite": InputError("corrupt")})
    names = ("a.int8.tflite", "b.int8.tflite", "c.int8.tflite")
    result = measured(Machine(host), Plan(), names=names, threads=(2, 1))
    assert [(each.artifact, each.threads, each.kind) for each in result.records] == [
        (name, threads, "failure" if name[0] == "b" else "profile") for name in names for threads in (2, 1)
    ]
    assert result.error is None
    assert host.open == 0


def test_the_ways_are_asked_for_before_anything_is_measured(fake_host: Any, artifact: Any, bar: Any):
    host = fake_host(fails={("", "ways"): HostError("neither Pillow nor OpenCV")})
    made = artifact("a.int8.tflite")
    result = measure(Machine(host), [made], [1], Plan(), {}, lambda *_: bar, packs={made.path: object()})
    assert str(result.error) == "neither Pillow nor OpenCV"
    assert [mode for _, _, mode in host.asked] == ["ways"]


def test_a_host_out_of_reach_is_called_once(fake_host: Any, measured: Any):
    error = Unreachable("it is off")
    host = fake_host(fails={"a.int8.tflite": error})
    result = measured(Machine(host), Plan(), names=("a.int8.tflite", "b.int8.onnx"))
    assert result.error is error
    assert [each.reason for each in result.records] == ["it is off"] * 2
    assert len(host.asked) == 1
    assert host.open == 0


def test_all_that_fail_have_the_first_error(fake_host: Any, measured: Any):
    errors = [InputError("first"), UsageError("second")]
    host = fake_host(fails=dict(zip(("a.int8.tflite", "b.int8.onnx"), errors, strict=True)))
    result = measured(Machine(host), Plan(), names=("a.int8.tflite", "b.int8.onnx"))
    assert result.error is errors[0]
    assert [each.exit_code for each in result.records] == [3, 2]


def test_the_limit_can_be_left_out(fake_host: Any, measured: Any):
    hosts = [fake_host(), fake_host()]
    for host, limit in zip(hosts, (True, False), strict=True):
        measured(Machine(host), Plan(limit=limit), names=("a.int8.tflite",))
    assert ["limit" in {mode for _, _, mode in host.asked} for host in hosts] == [True, False]


@pytest.mark.parametrize(("asked", "used"), [(None, "/lib/own.so"), (Delegate("/lib/asked.so"), "/lib/asked.so")])
def test_a_delegate_asked_for_goes_before_the_machines_own(
    asked: Delegate | None, used: str, fake_host: Any, measured: Any
):
    host = fake_host()
    measured(Machine(host, OWN), Plan(delegate=asked), names=("a.int8.tflite",))
    assert {each["delegate"]["path"] for each in host.requests} == {used}


def test_an_int8_file_slower_than_its_sibling_has_a_note(fake_host: Any, measured: Any, monkeypatch: Any):
    host = fake_host(extra={"limit": {"float32_gmacs": 40.0, "int8_gmacs": 44.0}})
    run = host.run

    def slower(request: Any, files: Any = None, *, limit_seconds: float) -> Any:
        document = run(request, files or {}, limit_seconds=limit_seconds)
        name = files["artifact"].name if files else ""
        return (
            {**document, "times_ns": [(2 if "int8" in name else 1) * MS] * 20} if "times_ns" in document else document
        )

    monkeypatch.setattr(host, "run", slower)
    float32, int8 = measured(Machine(host), Plan(), names=("a.float32.tflite", "a.int8.tflite")).records
    assert float32.notes == ()
    values = {note.code: note.values for note in int8.notes}
    assert values["slower"]["slower"] == pytest.approx(1)
    assert values["slow-products"]["ratio"] == pytest.approx(1.1)
