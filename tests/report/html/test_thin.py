"""Long runs are thinned without losing what is slow."""

from itertools import pairwise

from mobilenet_edge.report.html.thin import EXTREMES, dots, series


def test_a_short_run_is_kept_whole():
    assert series([5, 3, 4]) == [(0, 5), (1, 3), (2, 4)]
    assert dots([5, 3, 4]) == [3, 4, 5]


def test_of_a_long_run_each_stretch_keeps_its_fastest_and_slowest_in_order():
    # 12 runs, at most 4 pairs: stretches of 2 * 12 / 4 = 6 runs, two pairs each.
    times = [5, 9, 5, 5, 1, 5, 5, 2, 5, 5, 8, 5]
    assert series(times, limit=4) == [(1, 9), (4, 1), (7, 2), (10, 8)]


def test_equal_times_are_kept_once():
    assert series([5] * 12, limit=4) == [(0, 5), (6, 5)]


def test_a_long_run_is_no_longer_than_asked():
    assert len(series(list(range(100_001)))) <= 4000


def test_dots_are_evenly_spaced_in_order_with_the_extremes():
    times = list(range(1000, 0, -1))
    kept = dots(times, limit=120)
    assert len(kept) == 120
    assert kept[:EXTREMES] == list(range(1, 11))
    assert kept[-EXTREMES:] == list(range(991, 1001))
    # 100 dots over 11 to 990: every 979 / 99 = 9.9.
    steps = {after - before for before, after in pairwise(kept[EXTREMES:-EXTREMES])}
    assert steps <= {9, 10, 11}


def test_nothing_depends_on_the_order_of_times():
    times = [(index * 7919) % 5003 for index in range(5003)]
    assert dots(times) == dots(sorted(times))
