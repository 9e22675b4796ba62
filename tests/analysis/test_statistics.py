"""Intervals and tests against published tables and against enumeration."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenet_edge.analysis import binomial, paired, reliability
from mobilenet_edge.analysis.paired import Paired


def test_wilson_has_the_published_values():
    # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I: 81 of 263, 15 of 148, 1 of 29
    assert binomial.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert binomial.wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert binomial.wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_mirrors(case):
    successes, n = case
    low, high = binomial.wilson(successes, n)
    assert 0 <= low <= successes / n <= high <= 1
    mirrored = binomial.wilson(n - successes, n)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_what_is_no_share(successes, n):
    with pytest.raises(ValueError, match=f"{successes} successes of {n}"):
        binomial.wilson(successes, n)


def test_clopper_pearson_has_the_published_values():
    # Newcombe, as above, method 5
    assert binomial.clopper_pearson(81, 263) == pytest.approx((0.2527, 0.3676), abs=5e-5)
    assert binomial.clopper_pearson(15, 148) == pytest.approx((0.0578, 0.1617), abs=5e-5)
    assert binomial.clopper_pearson(0, 20) == pytest.approx((0.0, 0.1684), abs=5e-5)
    assert binomial.clopper_pearson(1, 29) == pytest.approx((0.0009, 0.1776), abs=5e-5)


def test_mcnemar_has_the_values_of_the_sign_test_table():
    # Siegel, Nonparametric Statistics (1956), table D, one tail: N = 10, x = 1: .011; N = 25, x = 7: .022
    assert binomial.mcnemar(1, 9) / 2 == pytest.approx(0.011, abs=5e-4)
    assert binomial.mcnemar(18, 7) / 2 == pytest.approx(0.022, abs=5e-4)
    assert binomial.mcnemar(0, 0) == binomial.mcnemar(4, 4) == 1.0
    # A change for the worse in one of five is never shown by five pictures; by six of six it is.
    assert (binomial.mcnemar(0, 5), binomial.mcnemar(6, 0)) == (0.0625, 0.03125)


def tail(n: int, least: int, share: Fraction) -> Fraction:
    """Probability of `least` or more of n, by enumeration in whole numbers."""
    return sum(
        (math.comb(n, count) * share**count * (1 - share) ** (n - count) for count in range(least, n + 1)), Fraction(0)
    )


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_twice_the_smaller_tail(gained, lost):
    expected = min(Fraction(1), 2 * tail(gained + lost, max(gained, lost), Fraction(1, 2)))
    assert binomial.mcnemar(gained, lost) == pytest.approx(float(expected), rel=1e-12)


def test_mcnemar_of_many_pictures_neither_overflows_nor_waits():
    # The normal approximation, 300/sqrt(20300) = 2.11 standard deviations, with the correction for continuity.
    z = 299 / math.sqrt(20_300)
    assert binomial.mcnemar(10_000, 10_300) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-3)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_exact_bounds_leave_a_fortieth_in_their_tails(case):
    successes, n = case
    low, high = binomial.clopper_pearson(successes, n)
    if successes:
        assert float(tail(n, successes, Fraction(low))) == pytest.approx(0.025, rel=1e-6)
    if successes < n:
        assert float(1 - tail(n, successes + 1, Fraction(high))) == pytest.approx(0.025, rel=1e-6)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 500))
def test_the_interval_of_a_difference_and_the_verdict_never_contradict(gained, lost, rest):
    pair = Paired(gained + lost + rest + 1, gained, lost)
    low, high = pair.interval
    assert low <= pair.difference <= high
    assert pair.shown == (not low <= 0 <= high)


def outcomes(n: int, gained: float, lost: float) -> Iterator[tuple[float, Paired]]:
    """Every outcome of n pictures with its probability, but for those of less than a millionth."""
    logs = [math.lgamma(count + 1) for count in range(n + 1)]
    for first in range(n + 1):
        for second in range(n + 1 - first):
            rest = n - first - second
            log_count = logs[n] - logs[first] - logs[second] - logs[rest]
            log_chance = first * math.log(gained) + second * math.log(lost) + rest * math.log1p(-gained - lost)
            if log_count + log_chance > math.log(1e-6):
                yield math.exp(log_count + log_chance), Paired(n, first, second)


@pytest.mark.parametrize(("n", "gained", "lost"), [(30, 0.1, 0.1), (30, 0.02, 0.3), (80, 0.01, 0.02)])
def test_the_interval_of_a_difference_covers_it(n, gained, lost):
    covered = sum(
        chance for chance, pair in outcomes(n, gained, lost) if pair.interval[0] <= gained - lost <= pair.interval[1]
    )
    assert covered > 0.95


def test_no_changed_picture_is_no_proof():
    # The rule of three: none of 200 leaves up to 3/200 at 95 % one-sided, 1 - 0.025^(1/200) = 1.8 % two-sided.
    assert Paired(200, 0, 0).interval == pytest.approx((-0.0183, 0.0183), abs=1e-4)


@pytest.mark.parametrize(("gained", "lost"), [(12, 6), (30, 10), (5, 1)])
def test_the_needed_pictures_have_the_power_that_was_asked_for(gained, lost):
    needed = Paired(100, gained, lost).needed
    # The formula is asymptotic; the exact test, which can only reach some levels, has a few points less.
    power = sum(chance for chance, pair in outcomes(needed, gained / 100, lost / 100) if pair.shown)
    assert 0.74 < power < 0.83


def test_needed_pictures_without_pairs_are_those_of_the_textbook():
    # 60 against 70 %: Fleiss (1981), table A.3 gives 376 with the correction for continuity, which adds 2/|p1 - p2|.
    assert paired.needed_unpaired(0.6, 0.7) == pytest.approx(376 - 20, abs=2)
    assert paired.needed_unpaired(0.6, 0.6) is None
    assert Paired(100, 5, 5).needed is None


@pytest.mark.parametrize(("n", "gained", "lost"), [(0, 0, 0), (5, -1, 1), (5, 3, 3)])
def test_pairs_that_cannot_be_are_refused(n, gained, lost):
    with pytest.raises(ValueError, match=f"of {n}"):
        Paired(n, gained, lost)


def test_calibration_error_by_hand():
    # Two bins of 0.5: (0.2, 0.4) with one right of two, (0.9, 0.7) with both: |1 - .6| and |2 - 1.6| over four answers.
    right = np.array([True, False, True, True])
    assert reliability.calibration_error(np.array([0.2, 0.4, 0.9, 0.7]), right, 2) == pytest.approx(0.2)
    # A bin includes its upper end: both of these are in the first.
    assert reliability.calibration_error(np.array([0.5, 0.1]), np.array([True, False]), 2) == pytest.approx(0.2)


def test_probabilities_that_hold_have_little_error_and_overconfident_ones_their_excess():
    generator = np.random.default_rng(0)
    confidence = generator.uniform(0.3, 1, 50_000)
    right = generator.uniform(size=50_000) < confidence
    # A bin of n/10 answers misses its share by about 0.5/sqrt(n/10) = 0.007.
    assert reliability.calibration_error(confidence, right) < 0.01
    assert reliability.calibration_error(np.minimum(confidence + 0.1, 1), right) == pytest.approx(0.095, abs=0.01)
