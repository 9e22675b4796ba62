"""Rounding with error feedback: what it gains, and the limits that no weight or pair of weights may pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenet_edge.quantise import rounding as it


def problem(seed, batch=1, size=16, out=8, spread=1.0):
    """Weights and the covariance of correlated inputs; their variances spread over `spread` powers of ten."""
    random = np.random.default_rng(seed)
    root = random.normal(size=(batch, size, size)) * 10 ** random.uniform(-spread / 2, 0, (batch, size, 1))
    root += 2 * random.normal(size=(batch, 1, size)) * random.normal(size=(batch, size, 1))
    return random.normal(size=(batch, size, out)), root @ root.transpose(0, 2, 1)


def error(weight, made, scale, covariance):
    """Expected square error of the outputs."""
    off = weight - made * scale[:, None]
    return float(np.einsum("bko,bkl,blo->", off, covariance, off))


def pair_sums(made):
    """What the weights of one sign of each pair add up to, as magnitudes."""
    even = np.pad(made, ((0, 0), (0, made.shape[1] % 2), (0, 0)))
    first, second = even[:, 0::2], even[:, 1::2]
    return np.maximum(np.maximum(first, 0) + np.maximum(second, 0), -np.minimum(first, 0) - np.minimum(second, 0))


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("size", [2, 9, 16, 65, 130])
def test_feedback_beats_rounding_to_nearest(size, pairs):
    weight, covariance = problem(size, size=size)
    scale = 4 * it.full_range(weight, pairs)  # five bits, where rounding is felt
    made = it.integers(weight, it.damped(covariance, 0.01), scale, pairs)
    nearest = np.rint(weight / scale[:, None])
    # Two weights leave little to pass on; many correlated ones leave most of the error.
    share = 1.0 if size == 2 else 0.5
    assert error(weight, made, scale, covariance) < share * error(weight, nearest, scale, covariance)


def test_inputs_that_have_nothing_in_common_are_rounded_to_nearest():
    weight, _ = problem(3)
    covariance = np.diag(np.random.default_rng(0).uniform(1, 2, 16))[None]
    scale = it.full_range(weight, False)
    np.testing.assert_array_equal(it.integers(weight, covariance, scale, False), np.rint(weight / scale[:, None]))


def test_blocks_change_nothing(monkeypatch):
    weight, covariance = problem(4, size=50)
    arguments = weight, it.damped(covariance, 0.01), it.full_range(weight, True), True
    whole = it.integers(*arguments)
    monkeypatch.setattr(it, "_BLOCK", 7)
    np.testing.assert_array_equal(it.integers(*arguments), whole)


def test_problems_of_a_batch_do_not_see_each_other():
    weight, covariance = problem(6, batch=4, size=9, out=1)
    damped, scale = it.damped(covariance, 0.01), it.full_range(weight, False)
    together = it.integers(weight, damped, scale, False)
    for one in range(4):
        own = slice(one, one + 1)
        np.testing.assert_array_equal(it.integers(weight[own], damped[own], scale[own], False), together[own])


@given(st.integers(0, 2**32), st.integers(1, 13), st.sampled_from([0.2, 0.7, 1.0]), st.booleans())
def test_no_weight_and_no_pair_passes_its_limit(seed, size, share, one_sign):
    weight, covariance = problem(seed, size=size, out=3, spread=6)
    weight = np.abs(weight) if one_sign else weight
    # A scale too fine for the weights: the limits must hold them, not the scale.
    scale = share * it.full_range(weight, True)
    made = it.integers(weight, it.damped(covariance, 0.01), scale, True)
    assert np.abs(made).max() <= it.MAX_WEIGHT
    assert pair_sums(made).max() <= it.MAX_PAIR
    np.testing.assert_array_equal(made, np.rint(made))


def test_without_the_limit_pairs_pass_it():
    weight, covariance = problem(1)
    free = it.integers(np.abs(weight), it.damped(covariance, 0.01), it.full_range(weight, False), False)
    assert it.MAX_PAIR < pair_sums(free).max() <= 2 * it.MAX_WEIGHT


@pytest.mark.parametrize("pairs", [False, True])
def test_one_input_is_rounded_to_its_end(pairs):
    weight = np.array([[[0.5, -2.0]]])
    scale = it.full_range(weight, pairs)
    np.testing.assert_allclose(scale, [[0.5 / 127, 2 / 127]])
    assert it.integers(weight, np.ones((1, 1, 1)), scale, pairs).tolist() == [[[127, -127]]]


def test_full_range_by_hand():
    weight = np.array([[1.0, 1.0], [1.0, -1.0], [0.5, 1.27]])[None]
    np.testing.assert_allclose(it.full_range(weight, False), [[1 / 127, 0.01]])
    # The pair (1, 1) needs 2 / 128; (1, -1) adds up to nothing; the third input has no neighbour.
    np.testing.assert_allclose(it.full_range(weight, True), [[2 / 128, 0.01]])
    np.testing.assert_allclose(it.full_range(-weight, True), [[2 / 128, 0.01]])


def test_full_range_of_zeros_is_zero():
    assert it.full_range(np.zeros((1, 4, 2)), True).tolist() == [[0, 0]]


@given(st.integers(0, 2**32), st.integers(1, 9), st.booleans())
def test_at_full_range_the_limits_need_not_hold_anything(seed, size, pairs):
    weight, _ = problem(seed, size=size, out=3)
    steps = weight / it.full_range(weight, pairs)[:, None]
    # What is rounded off cannot lift a pair that fits exactly by more than a step.
    assert np.abs(steps).max() <= it.MAX_WEIGHT * (1 + 1e-12)
    if pairs:
        assert pair_sums(steps).max() <= max(it.MAX_PAIR, it.MAX_WEIGHT) * (1 + 1e-12)


def test_a_refit_held_firmly_changes_nothing():
    weight, covariance = problem(7)
    cross = covariance @ weight + 1
    np.testing.assert_allclose(it.refit(weight, covariance, cross, 1e12), weight, atol=1e-9)


def test_a_refit_let_loose_is_least_squares():
    weight, covariance = problem(8)
    wanted = np.random.default_rng(9).normal(size=weight.shape)
    np.testing.assert_allclose(it.refit(weight, covariance, covariance @ wanted, 1e-12), wanted, rtol=1e-6, atol=1e-6)


def test_a_refit_towards_its_own_outputs_changes_nothing():
    weight, covariance = problem(10)
    np.testing.assert_allclose(it.refit(weight, covariance, covariance @ weight, 0.2), weight, rtol=1e-12)


def test_inputs_that_never_vary_leave_the_weights_alone():
    weight, nothing = problem(11)[0], np.zeros((1, 16, 16))
    np.testing.assert_array_equal(it.refit(weight, nothing, np.zeros_like(weight), 0.2), weight)
    scale = it.full_range(weight, False)
    made = it.integers(weight, it.damped(nothing, 0.01), scale, False)
    np.testing.assert_array_equal(made, np.rint(weight / scale[:, None]))


def test_damping_by_hand():
    covariance = np.array([[[4.0, 1.0], [1.0, 0.0]]])
    # Of 10 %: four fifths of its own variance, one fifth of their mean 2.
    np.testing.assert_allclose(it.damped(covariance, 0.1), [[[4 + 0.32 + 0.04, 1], [1, 0.04]]])
    assert np.linalg.eigvalsh(it.damped(np.zeros((1, 3, 3)), 0.1)).min() == pytest.approx(1e-12)


@pytest.mark.parametrize("shape", [(7, 4), (3, 3, 3, 5), (1, 1, 8, 2)])
def test_pairs_are_brought_within_their_limit(shape):
    whole = np.random.default_rng(0).integers(-127, 128, shape).astype(np.float64)
    made = it.within_pairs(whole).reshape(1, -1, shape[-1])
    before = whole.reshape(made.shape)
    assert pair_sums(made).max() <= it.MAX_PAIR
    assert pair_sums(before).max() > it.MAX_PAIR
    np.testing.assert_array_equal(made, np.rint(made))
    # Nothing else moves, and no weight grows or changes its sign.
    even = np.pad(before, ((0, 0), (0, before.shape[1] % 2), (0, 0)))
    fine = np.repeat(pair_sums(before) <= it.MAX_PAIR, 2, axis=1)[:, : before.shape[1]]
    np.testing.assert_array_equal(made[fine], before[fine])
    assert (np.abs(made) <= np.abs(even[:, : before.shape[1]])).all()
    assert (made * before >= 0).all()
