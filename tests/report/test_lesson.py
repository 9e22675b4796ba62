"""A training run in words: what tuning of the integers is worth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mobilenet_edge.records.training import IntegerTuning, Training
from mobilenet_edge.report import lesson

TUNING = IntegerTuning(
    artifacts=("a.int8.tflite",), epoch=3, curve=(), n=100, float32=80, rounded=70, tuned=78, agreement=(0.85, 0.95),
    gained=9, lost=1, p_value=0.021484375,
)  # fmt: skip
RUN = Training(
    variant="a", artifact="a.keras", spec={}, data="pets", classes=("cat", "dog"), split="0" * 64,
    pictures={"train": 300, "validation": 100, "test": 100}, weights="imagenet", seed=0, head=(), accuracy=0.8,
    interval=(0.71, 0.87), scored="test", n=100, integers=TUNING, seconds={}, versions={},
)  # fmt: skip


def test_three_accuracies_stand_side_by_side():
    text = lesson.text(RUN)
    assert "float 80.0%, int8 by rounding 70.0% (agreement 85.0%), tuned 78.0% (95.0%)" in text
    assert "a.int8.tflite" in text.splitlines()


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, True),
        ({"gained": 4, "p_value": 0.375}, False),
        # A loss that is shown is no help.
        ({"gained": 1, "lost": 9}, False),
    ],
)
def test_help_is_claimed_only_where_it_is_shown(changes, shown):
    text = lesson.text(replace(RUN, integers=replace(TUNING, **changes)))
    assert ("that it helps is shown" in text) == shown
    assert ("without --qat" in text) != shown


def test_integers_of_before_the_tuning_are_named():
    text = lesson.text(replace(RUN, integers=replace(TUNING, epoch=0)))
    assert "so the files hold the integers before it" in text
    assert "McNemar" not in text
