from __future__ import annotations

import math

import numpy as np
import pytest

from mobilenet_edge.evaluation import scores


def test_top_k_is_greatest_first():
    assert scores.top_k(np.array([[0.1, 0.7, 0.2], [3.0, 1.0, 2.0]]), 2).tolist() == [[1, 2], [0, 2]]


def test_ties_go_to_the_lower_index_as_argmax_has_it():
    outputs = np.array([[5, 9, 9, 5, 5, 5, 5]], np.int8)
    assert scores.top_k(outputs).tolist() == [[1, 2, 0, 3, 4]]
    assert scores.top_k(outputs)[0, 0] == outputs.argmax()


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.float16, np.float32])
def test_every_element_type_keeps_its_order(dtype):
    # Zero and the extremes are where negating in the type itself would wrap around.
    limits = np.iinfo(dtype) if np.issubdtype(dtype, np.integer) else np.finfo(dtype)
    outputs = np.array([0, limits.max, limits.min, 7], dtype)
    best, second = scores.top_k(outputs, 2)
    assert (best, second) == (1, 3)


def test_nan_comes_last_and_few_classes_are_enough():
    assert scores.top_k(np.array([np.nan, 1.0, 2.0])).tolist() == [2, 1, 0]


def test_hits_count_the_right_class_anywhere_in_the_answer():
    answers = np.array([[1, 2], [3, 4], [5, 6]])
    truth = np.array([1, 4, 7])
    assert scores.hits(answers[:, :1], truth) == 1
    assert scores.hits(answers, truth) == 2


def test_background_is_never_right():
    assert scores.hits(np.array([[-1, -1]]), np.array([0])) == 0


def test_agreement_compares_first_answers_only():
    assert scores.agreement(np.array([[1, 2], [3, 4]]), np.array([[1, 9], [4, 3]])) == 0.5


def test_snr_of_a_tenth_is_twenty_db():
    reference = np.array([[3.0, 4.0], [0.0, 12.0]])
    assert scores.snr_db(reference, reference * 1.1) == pytest.approx(20)
    # float32 throughout, as models give it: 7 decimal digits of 0.1, squared
    assert scores.snr_db(reference.astype(np.float32), (reference * 1.1).astype(np.float32)) == pytest.approx(
        20, abs=1e-4
    )


def test_snr_at_its_ends():
    zero, one = np.zeros(3), np.ones(3)
    assert scores.snr_db(one, one) == math.inf
    assert scores.snr_db(zero, zero) == math.inf
    assert scores.snr_db(zero, one) == -math.inf
    assert math.isnan(scores.snr_db(one, np.array([1.0, np.nan, 1.0])))


def test_snr_of_integers_does_not_wrap_around():
    assert scores.snr_db(np.array([200], np.uint8), np.array([220], np.uint8)) == pytest.approx(20)


def test_snr_refuses_arrays_that_would_broadcast():
    with pytest.raises(ValueError, match="shapes differ"):
        scores.snr_db(np.ones((2, 3)), np.ones(3))
