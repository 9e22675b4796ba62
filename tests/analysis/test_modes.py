"""Two groups are seen where there are two, and not in noise of any usual shape."""

import random

import pytest

from mobilenet_edge.analysis import modes

MS = 1_000_000


def noise(count, middle_ms=2.0, deviation_ms=0.05, seed=0):
    chance = random.Random(seed)
    return [round(chance.gauss(middle_ms, deviation_ms) * MS) for _ in range(count)]


def test_two_clocks_within_each_round():
    found = modes.find([noise(40, 2.0, seed=1) + noise(20, 3.0, seed=2)] * 3)
    assert found is not None
    # The median of 60 draws of deviation 0.05 is within 0.02 of its middle.
    assert found.low_ms == pytest.approx(2.0, abs=0.02)
    assert found.high_ms == pytest.approx(3.0, abs=0.03)
    assert found.share == pytest.approx(1 / 3)


@pytest.mark.parametrize("share", [0.14, 0.16])
def test_each_group_holds_a_sixth_or_so(share):
    slow = round(200 * share)
    found = modes.find([[2 * MS] * (200 - slow) + [3 * MS] * slow])
    assert (found is not None) == (share >= modes.MIN_SHARE)


def test_a_few_runs_between_the_groups_do_not_hide_them():
    between = [round((2.1 + 0.08 * step) * MS) for step in range(10)]
    assert modes.find([noise(100, 2.0, 0.02) + noise(90, 3.0, 0.02) + between]) is not None


def test_rounds_that_differ_as_wholes_are_not_two_modes():
    assert modes.find([noise(50, 2.0), noise(50, 3.0), noise(50, 2.0)]) is None


def test_groups_closer_than_one_can_care_about():
    # 2 ms and 2.08 ms: 4 % apart, however sharp.
    assert modes.find([[2 * MS] * 30 + [2_080_000] * 30]) is None


@pytest.mark.parametrize(
    "times",
    [
        noise(60, deviation_ms=0.05),
        noise(60, deviation_ms=0.4),
        [round(2 * MS + index * 10_000) for index in range(100)],
        [round((2 + random.Random(index).expovariate(2)) * MS) for index in range(300)],
        [2 * MS] * 60,
        [2 * MS] * 59 + [50 * MS],
        [2 * MS],
    ],
    ids=["narrow", "wide", "even", "exponential", "equal", "one slow", "single"],
)
def test_noise_is_one_group(times):
    assert modes.find([times]) is None


def test_noise_is_hardly_ever_taken_for_two_groups():
    # 300 series of 50 runs with deviations of 1 to 30 %: none.
    assert not any(modes.find([noise(50, 2.0, 0.02 + 0.002 * seed, seed=seed)]) for seed in range(300))
