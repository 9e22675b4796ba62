"""Which variants are stopped: those that cannot reach the accuracy, and before the end only the worse half."""

from __future__ import annotations

from mobilenet_edge.records import Training
from mobilenet_edge.sweep import halving


def trained(variant: str, accuracy: float, n: int = 100) -> Training:
    return Training(
        variant=variant, artifact="", spec={}, data="", classes=("a", "b"), split="", weights="random", seed=0, head=(),
        pictures={"train": 400, "validation": n, "test": 100}, accuracy=0.5, validation_accuracy=accuracy,
        interval=(0.4, 0.6), scored="test", n=100, seconds={}, versions={},
    )  # fmt: skip


def names(records: list[Training], min_top1: float, *, last: bool) -> list[str]:
    return [record.variant for record, _ in halving.stopped(records, min_top1, last=last)]


FOUR = [trained("a", 0.5), trained("b", 0.9), trained("c", 0.6), trained("d", 0.7)]


def test_the_worse_half_of_those_that_cannot_reach_it():
    # Of 100 pictures, 50 right are at most 59.6 % with 95 % confidence, 60 right 69.1 %, 70 right 78.1 %.
    assert names(FOUR, 80, last=False) == ["c", "a"]
    assert names(FOUR, 69, last=False) == ["a"]
    assert names(FOUR, 59, last=False) == []


def test_at_the_end_all_that_cannot_reach_it():
    assert names(FOUR, 80, last=True) == ["d", "c", "a"]
    assert names(FOUR, 99, last=True) == ["b", "d", "c", "a"]


def test_one_alone_goes_on_to_the_end():
    assert names(FOUR[:1], 80, last=False) == []
    assert names(FOUR[:1], 80, last=True) == ["a"]


def test_few_pictures_leave_it_open():
    assert names([trained("a", 0.5, n=10), trained("b", 0.6, n=10)], 75, last=True) == []


def test_reason_has_the_numbers():
    ((_, reason),) = halving.stopped([trained("a", 0.5)], 80, last=True)
    assert "50.0% of 100 validation pictures" in reason
    assert "59.6%" in reason
    assert "min_top1 is 80 %" in reason
