"""The few are well chosen, what they say is true of machines that are sums, and the interval is earned."""

import math
import random
from dataclasses import replace
from itertools import product

import pytest

from mobilenet_edge.analysis.features import CACHE_BYTES, PRIOR, matrix
from mobilenet_edge.analysis.predict import NOISE, Model, choose, is_inside
from mobilenet_edge.errors import UsageError
from mobilenet_edge.model.layers import macs, parameters
from mobilenet_edge.model.spec import FAMILIES, PUBLISHED_ALPHAS, PUBLISHED_RESOLUTIONS, ModelSpec

GRID = [ModelSpec(*each) for each in product(PUBLISHED_ALPHAS, PUBLISHED_RESOLUTIONS)]
CORNERS = {(0.25, 128), (0.25, 224), (1.0, 128), (1.0, 224)}


def places(specs, indexes):
    return {(specs[index].alpha, specs[index].resolution) for index in indexes}


def latency(spec):
    """A machine of 20 GMAC/s that starts in 0.1 ms and slows down for narrow layers."""
    return 0.1 + macs(spec) / 20e6 * (1 + 0.2 / spec.alpha)


def model(specs, times=None, noise=0.0, precision="float32"):
    times = times or [latency(each) for each in specs]
    return Model(precision, tuple(specs), tuple(times), (noise,) * len(specs))


FEW = [GRID[index] for index in choose(GRID, 6)]


# The features


def test_features_are_counts_times_their_prior():
    spec = ModelSpec(0.5, 160)
    (row,) = matrix([spec], "int8")
    counts = dict(zip(PRIOR, row / list(PRIOR.values()), strict=True))
    # Pointwise, spatial, and the classifier's 512 * 1000 make up all MACs; no layer of this width needs filling up.
    assert counts["pointwise"] + counts["spatial"] + 512 * 1000 == macs(spec)
    # Biases are one an output channel.
    assert parameters(spec) - 10_000 < counts["weights"] < parameters(spec)
    assert counts["streamed"] == 0
    assert counts["start"] == 1


def test_float_weights_are_four_times_the_bytes_and_overflow_the_cache():
    column = list(PRIOR).index("weights")
    (integers,), (floats,) = (matrix([ModelSpec()], each) / list(PRIOR.values()) for each in ("int8", "float32"))
    assert floats[column] == 4 * integers[column]
    assert floats[column + 1] == floats[column] - CACHE_BYTES


# The choice


def test_the_corners_come_first_and_then_the_middle():
    chosen = places(GRID, choose(GRID, 6))
    assert chosen > CORNERS
    # Each of the two widths between is measured once.
    assert sorted(alpha for alpha, _ in chosen - CORNERS) == [0.5, 0.75]


def test_more_is_chosen_beside_what_fewer_would_have_been():
    for count in (4, 5, 8, 14):
        assert places(GRID, choose(GRID, count)) < places(GRID, choose(GRID, count + 1))


def test_the_order_of_the_grid_does_not_matter():
    mixed = random.Random(1).sample(GRID, len(GRID))
    assert places(mixed, choose(mixed, 7)) == places(GRID, choose(GRID, 7))


def test_all_where_there_are_no_more():
    assert choose(GRID[:5], 5) == [0, 1, 2, 3, 4]
    assert choose(GRID[:2], 6) == [0, 1]


@pytest.mark.parametrize(("specs", "count", "least"), [(GRID, 3, 4), (GRID[:4], 2, 3)])
def test_too_few_to_lie_between(specs, count, least):
    with pytest.raises(UsageError, match=f"--measure {count} is too few .* use --measure {least} or more$"):
        choose(specs, count)
    assert len(choose(specs, least)) == least


# Between what was measured


@pytest.mark.parametrize(
    ("alpha", "rho", "classes", "within"),
    [(0.5, 160, 1000, True), (0.25, 128, 1000, True), (0.2, 160, 1000, False), (0.5, 96, 1000, False),
     (0.5, 256, 1000, False), (1.1, 128, 1000, False), (0.5, 160, 10, False)],
)  # fmt: skip
def test_what_lies_between_the_corners(alpha, rho, classes, within):
    corners = [ModelSpec(*each) for each in CORNERS]
    assert is_inside(ModelSpec(alpha, rho, classes), corners) is within
    estimate = model(corners).predict(ModelSpec(alpha, rho, classes))
    assert (estimate is not None) is within


def test_a_triangle_has_no_fourth_corner():
    three = [ModelSpec(0.25, 128), ModelSpec(0.25, 224), ModelSpec(1.0, 128)]
    assert is_inside(ModelSpec(0.5, 160), three)
    assert not is_inside(ModelSpec(0.75, 192), three)


# The prediction


def test_a_machine_that_is_a_sum_is_known_from_six():
    shown = model(FEW)
    for spec in GRID:
        assert shown.predict(spec).ms == pytest.approx(latency(spec), rel=0.05)


@pytest.mark.parametrize("factor", [0.01, 100])
def test_a_machine_as_many_times_as_fast_is_as_well_known(factor):
    plain, scaled = model(FEW), model(FEW, [factor * latency(each) for each in FEW])
    for spec in GRID:
        assert scaled.predict(spec).ms == pytest.approx(factor * plain.predict(spec).ms)


def test_what_one_width_deviates_by_is_carried_over_to_its_neighbours():
    """A machine with kernels that are half as fast for alpha 0.25, whose extremes were measured."""
    times = [latency(each) * (2 if each.alpha == 0.25 else 1) for each in FEW]
    estimate = model(FEW, times).predict(ModelSpec(0.25, 160))
    assert estimate.ms == pytest.approx(2 * latency(ModelSpec(0.25, 160)), rel=0.1)


def test_errors_are_of_models_left_out():
    shown = model(FEW)
    for index, error in enumerate(shown.errors):
        rest = [each for each in FEW if each != FEW[index]]
        again = model(rest)._estimate(FEW[index], range(len(rest)))[0]
        assert error == pytest.approx(math.log(latency(FEW[index]) / again))
    # Of six, the mean of the two in the middle.
    middle = sorted(map(abs, shown.errors))[2:4]
    assert shown.error == pytest.approx(math.expm1(sum(middle) / 2))


# The interval


def test_the_interval_holds_what_noise_does():
    """Measured to ±5 %, on 8 machines: at least 95 % of the ten others lie in their intervals."""
    chance = random.Random(0)
    held = []
    for _ in range(8):
        times = {each: latency(each) * math.exp(chance.gauss(0, 0.05)) for each in GRID}
        shown = model(FEW, [times[each] for each in FEW], noise=0.05)
        for spec in set(GRID) - set(FEW):
            estimate = shown.predict(spec)
            held.append(estimate.low_ms <= times[spec] <= estimate.high_ms)
    assert sum(held) / len(held) >= 0.95


def test_what_was_left_out_lies_in_the_interval_it_would_have_had():
    shown = model(FEW, [latency(each) * (1.2 if each.alpha == 0.5 else 1) for each in FEW])
    for error, (_, deviation) in zip(shown.errors, shown._leave_one_out, strict=True):
        assert abs(error) <= shown._widening * deviation


def test_one_that_does_not_fit_widens_all():
    calm = model(FEW)
    torn = model(FEW, [latency(each) * (1.5 if each.alpha == 0.5 else 1) for each in FEW])
    spec = ModelSpec(0.75, 160)
    widths = [each.predict(spec).high_ms / each.predict(spec).ms for each in (calm, torn)]
    assert widths[0] < widths[1]


def test_noise_below_the_least_counts_as_that():
    spec = ModelSpec(0.5, 192)
    assert model(FEW, noise=0).predict(spec) == model(FEW, noise=NOISE).predict(spec)


@pytest.mark.parametrize(
    ("specs", "times", "message"),
    [(GRID[:2], [1.0, 2.0], "need at least 3 models"), ([GRID[0]] * 3, [1.0] * 3, "each model once")],
)
def test_models_that_cannot_be(specs, times, message):
    with pytest.raises(ValueError, match=message):
        model(specs, times)


def test_a_family_is_predicted_from_itself_alone() -> None:
    corners = [ModelSpec(alpha, side) for alpha in (0.25, 1.0) for side in (128, 224)]
    assert is_inside(ModelSpec(0.5, 160), corners)
    assert not is_inside(ModelSpec(0.5, 160, family="mobilenet_v2"), corners)
    assert not is_inside(ModelSpec(0.5, 160, channels=1), corners)
    grid = [replace(spec, family=family) for family in FAMILIES for spec in [*corners, ModelSpec(0.5, 160)]]
    # The corners of each.
    assert set(choose(grid, 8)) == {0, 1, 2, 3, 5, 6, 7, 8}
