"""Blocks in time and blocks that are late, of one watchdog."""

from __future__ import annotations

import threading

import pytest

from mobilenet_edge.device.watchdog import Watchdog

NEVER = 300.0


@pytest.fixture
def barks():
    return threading.Semaphore(0)


@pytest.fixture
def dog(barks):
    dog = Watchdog(barks.release)
    yield dog
    dog.close()


def test_a_block_that_takes_too_long_is_told_while_it_runs(dog, barks):
    with dog.limit(0.01):
        assert barks.acquire(timeout=NEVER)


def test_a_shorter_limit_is_kept_after_a_longer_one(dog, barks):
    with dog.limit(NEVER):
        pass
    with dog.limit(0.01):
        assert barks.acquire(timeout=NEVER)


def test_a_limit_is_of_one_block_alone(dog, barks):
    for _ in range(3):
        with dog.limit(0.01):
            assert barks.acquire(timeout=NEVER)
    with dog.limit(NEVER):
        assert not barks.acquire(blocking=False)


def test_blocks_in_time_share_a_thread_which_ends_with_the_watchdog(monkeypatch):
    started, start = [], threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda thread: (started.append(thread), start(thread)))
    dog = Watchdog(pytest.fail)
    waiting, wait = threading.Event(), dog._changed.wait
    monkeypatch.setattr(dog._changed, "wait", lambda seconds: (waiting.set(), wait(seconds)))
    # A thread that first runs between two blocks would have nothing to watch, and end.
    with dog.limit(NEVER):
        assert waiting.wait(NEVER)
    for _ in range(50):
        with dog.limit(NEVER):
            pass
    assert len(started) == 1
    dog.close()
    for watching in started:
        watching.join(NEVER)
        assert not watching.is_alive()


def test_a_late_block_is_told_once(dog, barks):
    with dog.limit(0.01):
        assert barks.acquire(timeout=NEVER)
        assert not barks.acquire(timeout=0.05)
