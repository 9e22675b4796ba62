from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.device import chain, runtimes
from mobilenet_edge.device.chain import Chain, Link, measure, open_chain
from mobilenet_edge.device.faults import RequestError
from mobilenet_edge.device.pieces import cut
from mobilenet_edge.device.timing import Stop


class Clock:
    """A model whose run takes a given time on a clock of its own."""

    def __init__(self) -> None:
        self.now = 0
        self.log: list[str] = []

    def __call__(self) -> int:
        return self.now

    def link(self, name: str, *takes: int) -> Link:
        return Link(Fake(self, name, list(takes)), [])


class Fake:
    def __init__(self, clock: Clock, name: str, takes: list[int]) -> None:
        self.clock, self.name, self.takes = clock, name, takes

    def feed(self, inputs) -> None:
        # What happens outside of the time must not be in it.
        self.clock.now += 1000

    def invoke(self) -> None:
        self.clock.now += self.takes.pop(0)
        self.clock.log.append(self.name)


def test_pieces_run_in_order_and_the_whole_twice_of_which_the_second_counts():
    clock = Clock()
    made = Chain(
        clock.link("whole", 70, 60, 71, 61), (clock.link("a", 10, 11), clock.link("b", 20, 21)), clock.link("-", 1, 2)
    )
    times = measure(made, Stop(runs=2), clock)
    assert times.links == ([10, 11], [20, 21])
    assert times.idle == [1, 2]
    assert times.whole == [60, 61]
    assert clock.log == ["a", "-", "b", "whole", "whole"] * 2


def test_there_is_always_one_round_and_the_cap_ends_it():
    clock = Clock()
    made = Chain(clock.link("whole", 7, 6), (clock.link("a", 10),), clock.link("-", 1))
    assert measure(made, Stop(runs=50, cap_seconds=0), clock).whole == [6]


def opened(data: bytes, path: Path) -> Chain:
    path.write_bytes(data)
    return open_chain(runtimes.RUNTIMES["litert"], path, cut(data), threads=1, seed=0)


def test_the_pieces_of_a_real_model_give_its_output(small_tflite: bytes, tmp_path: Path):
    """All are open at once, though the file was rewritten for each: what each computes is its own operator still."""
    made = opened(small_tflite, tmp_path / "small.tflite")
    names = [each.session.outputs[0].name for each in made.links]
    assert names == [each.name for each in cut(small_tflite).operators]
    value = {made.whole.session.inputs[0].name: made.whole.values[0]}
    for link in made.links:
        given = [value[tensor.name] for tensor in link.session.inputs]
        for mine, theirs in zip(given, link.values, strict=True):
            np.testing.assert_array_equal(mine, theirs)
        value[link.session.outputs[0].name] = link.session.run(given)[0]
    np.testing.assert_array_equal(value["predictions"], made.whole.session.run(made.whole.values)[0])


def test_another_result_than_the_whole_is_refused(small_tflite: bytes, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(chain, "_close", lambda mine, theirs: False)
    with pytest.raises(RequestError, match=r"operators of small\.tflite, run one by one, give another result"):
        opened(small_tflite, tmp_path / "small.tflite")


@pytest.mark.parametrize(
    ("mine", "theirs", "same"),
    [
        (np.float32([1, 2]), np.float32([1, 2.0019]), True),  # a thousandth of the largest, 2: up to 0.002
        (np.float32([1, 2]), np.float32([1, 2.0025]), False),
        (np.float32([np.nan]), np.float32([np.nan]), True),
        (np.int8([5, -128]), np.int8([7, -128]), True),
        (np.int8([127]), np.int8([-128]), False),  # 255 steps, and not one that overflowed
        (np.uint8([0]), np.uint8([255]), False),
        (np.float32([1]), np.float32([[1]]), False),
        (None, np.float32([1]), False),
    ],
)
def test_results_are_compared_within_rounding(mine, theirs, same: bool):
    assert chain._close(mine, theirs) is same
