"""What is marked lies far from the rest by the stated rule, and nothing is taken away."""

import pytest

from mobilenet_edge.records.outliers import outliers

MS = 1_000_000


def test_a_slow_run_and_a_fast_one():
    # Deviations 0, 10, 20, 30, 40 µs to both sides: MAD 20 µs, limit 3.5 · 1.4826 · 20 = 104 µs.
    times = [2 * MS + 10_000 * step for step in range(-4, 5)]
    assert outliers(times) == ()
    assert outliers([*times, 5 * MS, *times, MS]) == (9, 19)


@pytest.mark.parametrize(("far", "found"), [(2_069_000, ()), (2_071_000, (30,))])
def test_where_most_are_equal_a_percent_is_the_deviation(far, found):
    # MAD 0; 3.5 times 1 % of 2 ms are 70 µs.
    assert outliers([2 * MS] * 30 + [far] + [2 * MS] * 30) == found


def test_two_groups_are_no_outliers():
    assert outliers([2 * MS] * 30 + [3 * MS] * 30) == ()


def test_a_single_run_is_none():
    assert outliers([MS]) == ()
