"""Workers that are killed or hang: a failure with its sentence, and nothing that still runs."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge.device.child import Child
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.profiling import settings
from mobilenet_edge.workers import processes
from tests.faults.conftest import Mnet

pytestmark = [pytest.mark.faults, pytest.mark.slow]

WORDS = ["--runs", "2", "--seconds", "0", "--rounds", "2", "--max-seconds", "0.1", "--no-limit"]
HANG = """
import os, signal, time
def answer(request):
    if "stop" in request:
        os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(request.get("seconds", 0))
    return {"pid": os.getpid()}
"""


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Send a signal to each worker as it is started; the signal is to be put in."""
    seen: dict[str, Any] = {"signal": signal.SIGKILL, "pids": []}
    start = Local._start

    def struck(self: Local, mode: str | None) -> Child:
        worker = start(self, mode)
        seen["pids"].append(worker._process.pid)
        os.kill(worker._process.pid, seen["signal"])
        return worker

    monkeypatch.setattr(Local, "_start", struck)
    return seen


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_a_worker_that_is_killed(model: Path, mnet: Mnet, workers: dict[str, Any]) -> None:
    said = mnet("profile", model, *WORDS)
    assert said.code == 6
    assert said.line == (
        "mnet: the runtime crashed on tiny.onnx (signal 9, killed): the machine may have run out of memory"
    )
    assert all(map(gone, workers["pids"]))


def test_a_worker_that_hangs(model: Path, mnet: Mnet, workers: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SLACK_SECONDS", 1.0)
    workers["signal"] = signal.SIGSTOP
    began = time.monotonic()
    said = mnet("profile", model, *WORDS)
    # A second and twice the share of the steady phase; a busy machine needs time to end it.
    assert time.monotonic() - began < 300
    assert said.code == 6
    assert "the worker did not answer on tiny.onnx within 1 s; try fewer --runs" in said.line
    assert all(map(gone, workers["pids"]))


@pytest.fixture
def function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "faults_answers.py").write_text(HANG)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "faults_answers:answer"


@pytest.mark.parametrize("request_", [{"seconds": 600}, {"stop": True}])
def test_a_maker_that_hangs(request_: dict[str, Any], function: str) -> None:
    with processes.ProcessPool(function, 1, limit_seconds=10) as pool:
        answers = dict(pool.run([request_, {}]))
    assert answers[0]["error"]["exit_code"] == 6
    assert answers[0]["error"]["message"].startswith("its process did not answer within 10 s and was killed")
    # The next request has a process of its own.
    assert gone(answers[1]["pid"])
