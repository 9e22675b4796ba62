"""Several processes that run one model at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge.errors import HostError, InputError, UsageError
from mobilenet_edge.hosts import payload
from mobilenet_edge.hosts.local import Local

pytestmark = pytest.mark.slow
TIMING = {"warmup": {"runs": 2}, "steady": {"seconds": 0.3}}


def run(model: Path, processes: int = 3, **more: Any) -> dict[str, Any]:
    request = {"mode": "parallel", "processes": processes, **TIMING, **more}
    return Local().run(request, {"artifact": model}, limit_seconds=300)


def workers() -> dict[int, int]:
    """Processes that run the payload of this process, with their parents."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if str(payload.path()).encode() in (folder / "cmdline").read_bytes():
                found[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def wait_for_members(count: int) -> list[int]:
    deadline = time.monotonic() + 300
    while True:
        found = workers()
        members = [pid for pid, parent in found.items() if parent in found]
        if len(members) == count:
            return members
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_each_process_runs_in_the_same_window(make_onnx: Callable[..., Path]):
    found = run(make_onnx())
    assert (found["runtime"], found["window_ns"], len(found["members"])) == ("onnxruntime", 300_000_000, 3)
    for member in found["members"]:
        assert all(time_ns > 0 for time_ns in member["times_ns"])
        # The runs of one process follow each other.
        assert sum(member["times_ns"]) + member["late_ns"] <= found["window_ns"]
        assert member["late_ns"] >= 0
    assert sum(len(member["times_ns"]) for member in found["members"]) > 0
    assert not workers()


def test_the_failure_of_a_process_is_that_of_all(tmp_path: Path):
    (tmp_path / "m.onnx").write_text("no model")
    with pytest.raises(InputError, match=r"^m\.onnx is not a model that onnxruntime can open"):
        run(tmp_path / "m.onnx")


def test_no_process_or_no_time_is_refused(make_onnx: Callable[..., Path]):
    for wrong in ({"processes": 0}, {"steady": {"runs": 3}}):
        with pytest.raises(UsageError, match="needs processes and steady"):
            run(make_onnx(), **wrong)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_process_that_is_killed_ends_the_measurement(make_onnx: Callable[..., Path], number: int):
    model = make_onnx()
    caught: list[BaseException] = []

    def measure() -> None:
        with pytest.raises(HostError, match="one of the processes ended early") as error:
            run(model, steady={"seconds": 3600.0})
        caught.append(error.value)

    thread = threading.Thread(target=measure)
    thread.start()
    os.kill(wait_for_members(3)[0], number)
    thread.join(60)
    assert caught
    wait_for_members(0)
