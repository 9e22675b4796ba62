"""Workers that are started before their requests are known."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from mobilenet_edge.device import memory
from mobilenet_edge.device.child import Child
from mobilenet_edge.errors import InputError
from mobilenet_edge.hosts import local
from mobilenet_edge.hosts.ahead import MAX_WAITING, Workers
from mobilenet_edge.hosts.local import Local

MISSING = {"artifact": Path("none.tflite")}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Child]:
    """All children that are started, in order."""
    children: list[Child] = []
    begin = Child.__init__

    def remember(self: Child, *words: object, **more: object) -> None:
        begin(self, *words, **more)  # type: ignore[arg-type]
        children.append(self)

    monkeypatch.setattr(Child, "__init__", remember)
    monkeypatch.setattr(memory, "available_bytes", lambda: 8 << 30)
    return children


def test_there_is_none_outside_a_block(started: list[Child]):
    workers = Workers()
    workers.start()
    assert workers.take(sys.executable) is None
    assert started == []


def test_there_is_none_where_memory_is_short(started: list[Child], monkeypatch: pytest.MonkeyPatch):
    workers = Workers()
    for available in (None, 500 << 20):
        monkeypatch.setattr(memory, "available_bytes", lambda available=available: available)
        with workers.block(4):
            workers.start()
    assert started == []


@pytest.mark.slow
def test_as_many_wait_as_the_block_allows_and_they_end_with_it(started: list[Child]):
    workers = Workers()
    with workers.block(1):
        workers.start()
        workers.start()
        assert len(started) == 1
        with workers.block(99):
            workers.start()
            assert len(started) == MAX_WAITING
            taken = workers.take(sys.executable)
            assert taken in started
            # All are ready before one is handed out: none starts while another measures.
            assert all(child.greeted for child in started)
            assert workers.take("another python") is None
        assert sum(child.running() for child in started) == 2
        assert taken is not None
        taken.close()
    assert not any(child.running() for child in started)


@pytest.mark.slow
def test_one_that_died_is_passed_over(started: list[Child]):
    workers = Workers()
    with workers.block(2):
        workers.start()
        os.kill(started[0]._process.pid, signal.SIGKILL)
        started[0].wait()
        assert workers.take(sys.executable) is started[1]
        assert workers.take(sys.executable) is None
        started[1].close()


@pytest.mark.slow
def test_a_request_is_answered_by_one_that_waits(started: list[Child], monkeypatch: pytest.MonkeyPatch):
    workers = Workers()
    monkeypatch.setattr(local, "workers", workers)
    with workers.block(2):
        workers.start()
        for mode in ("time", "memory"):
            with pytest.raises(InputError, match=r"^none\.tflite cannot be read"):
                Local().run({"mode": mode}, MISSING, limit_seconds=300)
        # The memory pass started two more, and nothing else started any.
        assert len(started) == 4
        # What needs another environment, or another program, takes none of them.
        assert Local()._start("setup") is started[4]
        assert Local(command=(sys.executable, "-c", "pass"))._start("time") is started[5]
    for child in started:
        child.close()
