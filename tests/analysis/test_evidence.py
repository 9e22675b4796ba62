"""Which of two is better: by pairs of answers, by intervals, or by the figures alone."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.analysis import evidence
from mobilenet_edge.analysis.binomial import wilson
from mobilenet_edge.analysis.evidence import Answers
from mobilenet_edge.records.answers import pack
from tests.analysis.test_choice import point


def answers(right: list[bool] | np.ndarray, pictures: str = "ab") -> Answers:
    flags = np.asarray(right, np.bool_)
    count = int(flags.sum())
    return Answers(count / len(flags), len(flags), wilson(count, len(flags)), pictures, pack(flags))


FIRST = np.arange(500) < 300


def test_pairs_decide_what_intervals_cannot():
    better = np.arange(500) < 310
    # 60 against 62 % of 500: the intervals overlap by far, but ten pictures were gained and none was lost.
    assert answers(better).better(answers(FIRST))
    assert not answers(FIRST).better(answers(better))
    assert not answers(better, "other pictures").better(answers(FIRST))


def test_as_many_gained_as_lost_decide_nothing():
    shifted = np.roll(FIRST, 50)
    assert not answers(shifted).better(answers(FIRST))
    assert answers(shifted).more_needed(answers(FIRST)) is None


def test_without_pairs_disjoint_intervals_decide():
    high = answers(np.arange(500) < 400, "other")
    assert high.better(answers(FIRST))
    assert not answers(np.arange(500) < 320, "other").better(answers(FIRST))


def test_fewer_pictures_are_needed_if_they_are_paired():
    better = np.arange(500) < 305
    paired, apart = (answers(better, which).more_needed(answers(FIRST)) for which in ("ab", "cd"))
    # Five gained, none lost: ψ = δ = .01; n = (1.96·.1 + .8416·√.0099)² / .0001
    assert paired == pytest.approx(783 - 500, abs=2)
    assert apart > 30_000


def test_figures_without_intervals_are_taken_as_they_are():
    assert evidence.more_accurate(point("a", top1=60.1), point("b", top1=60.0))
    assert not evidence.more_accurate(point("a", top1=None), point("b", top1=60.0))
    assert evidence.faster(point("a", 9.9), point("b", 10.0))


def test_latencies_whose_intervals_overlap_are_not_told_apart():
    slow = point("b", 10.0, interval_ms=(9.5, 10.5))
    assert not evidence.faster(point("a", 9.0, interval_ms=(8.0, 9.6)), slow)
    assert evidence.faster(point("a", 9.0, interval_ms=(8.0, 9.4)), slow)
