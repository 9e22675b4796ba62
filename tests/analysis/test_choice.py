"""The best within limits, what came second, and what each limit costs."""

import itertools
import random

import numpy as np
import pytest

from mobilenet_edge.analysis.binomial import wilson
from mobilenet_edge.analysis.choice import Limits, Point, Price, excess, recommend
from mobilenet_edge.analysis.evidence import Answers
from mobilenet_edge.errors import UsageError
from mobilenet_edge.records.answers import pack


def point(name, latency_ms=10.0, top1=60.0, size_bytes=1_000_000, **changes):
    return Point(name, f"{name}.tflite", latency_ms, top1, size_bytes, **changes)


SLOW = point("slow", 21.2, 65.3, 2_600_000)
FAST = point("fast", 12.0, 63.2, 1_400_000)
SMALL = point("small", 5.0, 48.2, 500_000)
ALL = [SMALL, SLOW, FAST]


def test_the_most_accurate_within_the_limits():
    found = recommend(ALL, Limits(latency_ms=20))
    assert (found.goal, found.pick, found.runner_up) == ("top1", FAST, SMALL)
    # 21.2 - 20 ms more, 65.3 - 63.2 points.
    (cost,) = found.costs
    assert (cost.limit, cost.point) == ("latency_ms", SLOW)
    assert (cost.by, cost.buys) == pytest.approx((1.2, 2.1))


def test_the_fastest_where_only_accuracy_is_asked_for():
    found = recommend(ALL, Limits(top1=50, size_bytes=3_000_000))
    assert (found.goal, found.pick, found.runner_up) == ("latency", FAST, SLOW)
    costs = {each.limit: each for each in found.costs}
    assert costs["size_bytes"] == Price("size_bytes")
    # 50 - 48.2 points fewer, 12 - 5 ms less.
    assert costs["top1"].point == SMALL
    assert (costs["top1"].by, costs["top1"].buys) == pytest.approx((1.8, 7.0))


def test_with_both_it_is_the_most_accurate():
    found = recommend(ALL, Limits(latency_ms=20, top1=40))
    assert (found.goal, found.pick) == ("top1", FAST)
    assert {each.limit: each.point for each in found.costs} == {"latency_ms": SLOW, "top1": None}


def test_without_limits_the_most_accurate_of_all():
    found = recommend(ALL, Limits())
    assert (found.pick, found.runner_up, found.costs) == (SLOW, FAST, ())


def test_a_limit_costs_nothing_where_another_binds_as_well():
    """To take the slow one both limits would have to go."""
    found = recommend(ALL, Limits(latency_ms=20, size_bytes=1_500_000))
    assert found.pick == FAST
    assert found.costs == (Price("latency_ms"), Price("size_bytes"))


def test_the_next_point_that_is_better_not_the_best():
    between = point("between", 20.5, 63.9)
    (cost,) = recommend([*ALL, between], Limits(latency_ms=20)).costs
    assert cost.point == between
    worse = point("worse", 20.1, 63.0)
    (cost,) = recommend([*ALL, between, worse], Limits(latency_ms=20)).costs
    assert cost.point == between


def test_a_limit_that_is_met_exactly_is_kept():
    assert recommend(ALL, Limits(latency_ms=12.0, size_bytes=1_400_000, top1=63.2)).pick == FAST


def test_equals_are_told_apart_by_latency_size_and_name():
    named = [point("b"), point("a"), point("c", size_bytes=900_000), point("d", 9.0)]
    for order in itertools.permutations(named):
        assert recommend(order, Limits()).pick.name == "d"
        assert recommend(order, Limits()).runner_up.name == "c"
        assert recommend([each for each in order if each.name in "ab"], Limits()).pick.name == "a"


def test_nothing_fits_and_the_nearest_miss():
    found = recommend(ALL, Limits(latency_ms=10, top1=60))
    assert (found.pick, found.runner_up, found.costs) == (None, None, ())
    # Shares of the limits: fast is 2 ms of 10 beyond, small 11.8 points of 60, slow 11.2 of 10.
    assert found.nearest == SMALL
    assert excess(SMALL, found.limits) == {"top1": pytest.approx(11.8)}
    assert recommend(ALL, Limits(latency_ms=11, top1=60)).nearest == FAST


def test_what_lacks_a_figure_is_not_judged_by_it():
    known = point("known", top1=50.0, memory_bytes=20_000_000)
    found = recommend([known, FAST], Limits(memory_bytes=30_000_000))
    assert (found.pick, found.runner_up, found.unjudged) == (known, None, 1)
    assert recommend([known, FAST], Limits()).pick == FAST
    none = recommend([FAST], Limits(memory_bytes=1e9))
    assert (none.pick, none.nearest, none.unjudged) == (None, None, 1)


@pytest.mark.parametrize("seed", range(10))
def test_nothing_that_fits_is_better_and_a_cost_is_what_it_says(seed):
    chance = random.Random(seed)
    points = [
        point(str(each), chance.uniform(1, 30), chance.uniform(40, 70), chance.randrange(10**6)) for each in range(30)
    ]
    limits = Limits(latency_ms=15, size_bytes=700_000)
    found = recommend(points, limits)
    fitting = [each for each in points if each.latency_ms <= 15 and each.size_bytes <= 700_000]
    assert found.pick in fitting
    assert found.pick.top1 == max(each.top1 for each in fitting)
    for cost in found.costs:
        loosened = Limits(**{**limits.to_dict(), cost.limit: limits.to_dict()[cost.limit] + cost.by})
        assert cost.point is None or recommend(points, loosened).pick.top1 >= found.pick.top1 + cost.buys - 1e-9
        if cost.point is None:
            kept = {name: limit for name, limit in limits.to_dict().items() if name != cost.limit}
            assert recommend(points, Limits(**kept)).pick == found.pick


@pytest.mark.parametrize(
    ("limits", "message"),
    [({"latency_ms": 0}, "--max-latency must be above 0"), ({"size_bytes": 0}, "--max-size"),
     ({"memory_bytes": 0}, "--max-memory"), ({"top1": 0.55}, "in percent, from 1 to 100, got 0.55"),
     ({"top1": 101}, "in percent")],
)  # fmt: skip
def test_limits_that_cannot_be(limits, message):
    with pytest.raises(UsageError, match=message):
        Limits(**limits)


def answered(right, n=400):
    """The first `right` of n pictures are answered rightly."""
    flags = np.arange(n) < right
    return {"top1": 100 * right / n, "answers": Answers(right / n, n, wilson(right, n), "ab", pack(flags))}


def test_a_difference_that_is_not_shown_does_not_count():
    # Three pictures of 400 are not enough, six are.
    best, near, far = (
        point("best", 20.0, **answered(240)),
        point("near", **answered(237)),
        point("far", **answered(234)),
    )
    found = recommend([best, near], Limits())
    assert (found.pick, found.runner_up) == (near, best)
    assert (found.undecided.point, found.undecided.n, found.undecided.p_value) == (best, 400, 0.25)
    assert found.undecided.difference == pytest.approx(0.75)
    assert found.undecided.more > 0
    found = recommend([best, far], Limits())
    assert (found.pick, found.undecided) == (best, None)


def test_the_choice_is_compared_with_the_best_not_step_by_step():
    """Neither step of three pictures is shown, but both together are."""
    chain = [point(str(right), right / 10, **answered(right)) for right in (240, 237, 234)]
    assert recommend(chain, Limits()).pick == chain[1]


def test_of_equally_fast_files_the_smaller_is_taken():
    large = point("large", 10.0, size_bytes=2_000_000, interval_ms=(9.0, 11.0), **answered(240))
    small = point("small", 10.4, interval_ms=(9.5, 11.4), **answered(240))
    assert recommend([large, small], Limits()).pick == small
    assert recommend([large, small], Limits(top1=50)).pick == small


def test_a_few_bytes_do_not_outweigh_a_median():
    fast = point("fast", 10.0, size_bytes=257_000, interval_ms=(8.0, 15.0), **answered(240))
    slow = point("slow", 13.0, size_bytes=248_000, interval_ms=(9.0, 19.0), **answered(240))
    assert recommend([slow, fast], Limits()).pick == fast


def test_a_limit_is_not_priced_with_a_gain_that_is_not_shown():
    pick, slower = point("pick", 10.0, **answered(237)), point("slower", 20.0, **answered(240))
    assert recommend([pick, slower], Limits(latency_ms=15)).costs == (Price("latency_ms"),)
    (cost,) = recommend([pick, point("far", 20.0, **answered(260))], Limits(latency_ms=15)).costs
    assert (cost.point.name, cost.buys) == ("far", pytest.approx(5.75))


def test_without_any_accuracy_the_fastest_is_taken():
    unknown = [point("slow", 20.0, None), point("fast", 5.0, None)]
    found = recommend(unknown, Limits(latency_ms=30))
    assert (found.goal, found.pick, found.undecided) == ("latency", unknown[1], None)
    assert recommend(unknown, Limits(top1=50)).pick is None
