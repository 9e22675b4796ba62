"""What is idle open, for how long, and for whom; no process is started."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from mobilenet_edge.evaluation.model_pool import IdlePool, ModelPool, written


@dataclass
class Fake:
    closed: bool = False

    def close(self) -> None:
        self.closed = True


def give(idle: IdlePool, key: str) -> Fake:
    fake = Fake()
    idle.release(key, cast("ModelPool", fake))
    return fake


def test_a_panel_is_taken_by_its_key_and_by_one_only():
    idle = IdlePool()
    one = give(idle, "a")
    assert idle.acquire("a") is one
    assert idle.acquire("a") is None
    assert not one.closed


def test_two_threads_have_a_panel_each():
    idle = IdlePool()
    given = {id(give(idle, "a")), id(give(idle, "a"))}
    assert {id(idle.acquire("a")), id(idle.acquire("a"))} == given


def test_another_key_closes_what_is_idle_and_not_what_is_used():
    idle = IdlePool()
    one, other = give(idle, "a"), give(idle, "a")
    assert idle.acquire("a") in (one, other)
    assert idle.acquire("b") is None
    assert [one.closed, other.closed].count(True) == 1


def test_nobody_asking_closes_them():
    idle = IdlePool(seconds=0.01)
    one, other = give(idle, "a"), give(idle, "a")
    end = time.monotonic() + 300
    while not (one.closed and other.closed):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert idle.acquire("a") is None


def test_a_panel_in_use_is_not_closed_with_the_idle():
    idle = IdlePool()
    one = give(idle, "a")
    assert idle.acquire("a") is one
    other = give(idle, "a")
    idle.close()
    assert (one.closed, other.closed) == (False, True)


def test_files_of_another_machine_keep_their_names_and_are_gone_after():
    with written(["m.onnx", "m.onnx"], [b"one", b"other"]) as paths:
        assert [path.name for path in paths] == ["m.onnx", "m.onnx"]
        assert [path.read_bytes() for path in paths] == [b"one", b"other"]
    assert [path.exists() for path in paths] == [False, False]
    assert not any(Path(path).parent.exists() for path in paths)
