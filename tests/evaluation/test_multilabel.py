"""Figures of several labels an image, against counts by hand and against definitions."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.evaluation import multilabel

ANSWERS = np.array([[1, 1, 0], [0, 1, 0]], np.bool_)
TRUTH = np.array([[1, 0, 0], [0, 1, 0]], np.bool_)


def test_shares_are_those_counted_by_hand():
    assert multilabel.accuracy(ANSWERS, TRUTH) == pytest.approx(5 / 6)
    # Two hits, three given, two right.
    assert multilabel.f1_micro(ANSWERS, TRUTH) == pytest.approx(4 / 5)
    # The third label is nobody's and was never given.
    assert multilabel.f1_macro(ANSWERS, TRUTH) == pytest.approx((1 + 2 / 3) / 2)


def test_nothing_to_find_and_nothing_given_is_right():
    none = np.zeros((2, 3), np.bool_)
    assert multilabel.f1_micro(none, none) == multilabel.f1_macro(none, none) == 1.0
    assert multilabel.mean_average_precision(np.zeros((2, 3)), none) is None


def average_precision(scores: np.ndarray, truth: np.ndarray) -> float:
    """By the definition: over all thresholds, from high to low."""
    area, recall = 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        given = scores >= threshold
        hits = (given & truth).sum()
        area += (hits / truth.sum() - recall) * hits / given.sum()
        recall = hits / truth.sum()
    return area


def test_average_precision_is_that_of_the_definition_with_ties():
    generator = np.random.default_rng(5)
    scores = generator.integers(0, 6, (40, 3)) / 5
    truth = generator.random((40, 3)) < 0.3
    expected = np.mean([average_precision(scores[:, label], truth[:, label]) for label in range(3)])
    assert multilabel.mean_average_precision(scores, truth) == pytest.approx(expected)


def test_a_perfect_order_is_1_and_labels_without_images_are_left_out():
    scores = np.array([[0.9, 0.3], [0.2, 0.8]])
    assert multilabel.mean_average_precision(scores, np.array([[1, 0], [0, 0]], np.bool_)) == 1.0
