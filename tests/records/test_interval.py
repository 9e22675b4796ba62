"""The interval holds the median as often as it says, whatever neighbours and rounds have in common."""

import math

import numpy as np
import pytest

from mobilenet_edge.records import interval

TRUE_NS = 2_000_000


def measurement(chance, *, rounds=3, runs=100, alike=0.0, apart=0.0, deviation=0.03):
    """Times around 2 ms, skewed like times; neighbours correlate by `alike`, rounds deviate by `apart`."""
    made = []
    for _ in range(rounds):
        noise = chance.normal(size=runs + 50)
        for index in range(1, noise.size) if alike else ():
            noise[index] = alike * noise[index - 1] + math.sqrt(1 - alike**2) * noise[index]
        # A median is blind to the exponential: exp(0) stays in the middle.
        logs = deviation * noise[50:] + apart * chance.normal()
        made.append([round(each) for each in TRUE_NS * np.exp(logs)])
    return made


def coverage(seed, count=200, **how):
    chance = np.random.default_rng(seed)
    found = [interval.median(measurement(chance, **how)) for _ in range(count)]
    return sum(low <= TRUE_NS <= high for low, high in found) / count


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"alike": 0.8},
        {"apart": 0.01},
        {"apart": 0.03},
        {"alike": 0.5, "apart": 0.01},
        {"runs": 17},
        {"runs": 17, "alike": 0.5, "apart": 0.01},
        {"rounds": 10, "runs": 30, "alike": 0.5, "apart": 0.01},
    ],
    ids=str,
)
def test_the_true_median_is_held_in_95_of_100(how):
    # 200 measurements tell 0.95 to ±0.03 (two deviations of sqrt(.95 · .05 / 200)). In between, the few rounds that
    # happen to agree cost up to 0.05 more.
    assert 0.87 <= coverage(seed=1, **how) <= 1


def test_rounds_taken_for_one_would_not_do():
    # The same times without saying which process they are of: what differs between processes is not seen.
    chance = np.random.default_rng(2)
    hits = 0
    for _ in range(50):
        low, high = interval.median([np.concatenate(measurement(chance, apart=0.03))])
        hits += low <= TRUE_NS <= high
    assert hits < 38


def test_more_runs_make_it_narrower():
    def width(runs):
        low, high = interval.median(measurement(np.random.default_rng(3), rounds=1, runs=runs))
        return high - low

    # By the square root of 16, give or take the noise of one draw.
    assert 2 < width(50) / width(800) < 8


def test_the_same_times_give_the_same_interval():
    times = measurement(np.random.default_rng(4))
    assert interval.median(times) == interval.median([tuple(each) for each in times])


def test_it_is_around_the_median():
    times = measurement(np.random.default_rng(5), runs=4000)
    low, high = interval.median(times)
    assert low < np.median(np.concatenate(times)) < high


@pytest.mark.parametrize(("count", "known"), [(1, False), (5, False), (6, True)])
def test_five_runs_carry_none(count, known):
    assert (interval.median([[TRUE_NS + each for each in range(count)]]) is not None) == known


def test_equal_times_leave_no_doubt():
    assert interval.median([[TRUE_NS] * 20] * 3) == (TRUE_NS, TRUE_NS)


def test_no_time_is_below_0():
    # Two rounds an order of magnitude apart: a t of one degree of freedom reaches far beyond 0.
    low, high = interval.median([[TRUE_NS] * 10, [TRUE_NS * 10] * 10])
    assert 0 < low < high


def test_students_t_has_its_quantiles():
    # Of tables, for 2, 4 and 9 degrees of freedom.
    for freedom, quantile in ((2, 4.303), (4, 2.776), (9, 2.262)):
        assert interval.student_t(freedom, 0.975) == pytest.approx(quantile, rel=1e-3)
        assert interval.student_t(freedom, 0.95, absolute=True) == pytest.approx(quantile, rel=1e-3)


def test_a_ratio_has_the_uncertainty_of_both():
    chance = np.random.default_rng(6)
    base, new = measurement(chance, runs=300), measurement(chance, runs=300)
    low, high = interval.ratio(new, base)
    assert low < 1 < high
    one, other = interval.median(base), interval.median(new)
    assert high - low > max(each[1] - each[0] for each in (one, other)) / TRUE_NS
    assert interval.ratio(new, [[TRUE_NS] * 5]) is None


def test_a_clear_difference_is_clear():
    chance = np.random.default_rng(7)
    low, high = interval.ratio([[each * 2 for each in some] for some in measurement(chance)], measurement(chance))
    assert 1.8 < low < 2 < high < 2.2
