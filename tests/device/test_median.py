from __future__ import annotations

import math
import random

import pytest

from mobilenet_edge.device.median import Median


def test_the_median_is_the_middle_value():
    assert Median.of([5, 1, 9]).value == 5
    assert Median.of([5, 1, 9, 7]).value == 6


def test_below_six_values_there_is_no_interval():
    # All five on one side of the true median: 2 / 2**5 = 6 %, more than 5 %. Of six: 2 / 2**6 = 3 %.
    assert Median.of([1, 2, 3, 4, 5]).interval is None
    assert Median.of([1, 2, 3, 4, 5, 6]).interval == (1, 6)


def test_the_interval_is_that_of_the_sign_test():
    # n = 25: 8th to 18th value in every table of it.
    assert Median.of(list(range(1, 26))).interval == (8, 18)


def test_the_interval_holds_the_true_median_as_often_as_it_says():
    draw = random.Random(3)
    hits = 0
    for _ in range(2000):
        # Skewed, as times are: the median of an exponential is ln 2.
        low, high = Median.of([draw.expovariate(1) for _ in range(40)]).interval
        hits += low <= math.log(2) <= high
    # For n = 40 the exact coverage is 96.2 %; three standard errors of 2000 trials are 1.3 %.
    assert hits / 2000 == pytest.approx(0.962, abs=0.013)


def test_a_coarse_clock_is_interpolated():
    # 2 stands for [2, 3). One value lies below, three within, none above: the middle is (2 - 1) / 3 into the step.
    assert Median.of([1, 2, 2, 2], resolution=1).value == pytest.approx(2 + 1 / 3)
    # The largest may have been anything below 6.
    assert Median.of([0, 1, 2, 3, 4, 5], resolution=1).interval == (0, 6)


def test_a_known_part_comes_off_value_and_interval():
    assert Median(10, (8, 13)) - 9 == Median(1, (-1, 4))
    assert Median(10, None) - 9 == Median(1, None)
