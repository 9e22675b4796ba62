"""Answers counted by what the outputs mean; no model is run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mobilenet_edge.data.labels import Labels
from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation import scores
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.score import Score, begin

TWO = Labels(("cat", "dog"), "L")
THREE = Labels(("cat", "dog", "sofa"), "L")


def run(head: str, outputs: Any, truth: Any, known: Labels = TWO, readable: Any = None) -> Score:
    """Count all outputs as one chunk, as a panel would give them."""
    values = np.array(outputs, np.float32)
    read = np.ones(len(values), np.bool_) if readable is None else np.array(readable)
    facts = {"head": head, "shape": [1, *values.shape[1:]]}
    score = begin(facts, known, None if truth is None else np.array(truth), len(read), "m")
    flat = values[read].reshape(int(read.sum()), -1)
    score.count(0, read, scores.top_k(flat), flat)
    return score


def test_a_probability_is_right_on_its_side_of_one_half():
    figures = run("probability", [[0.2], [0.6], [0.5]], [0, 1, 1]).figures()
    assert (figures["top1"], figures["top5"], figures["n"], figures["head"]) == (2 / 3, 1.0, 3, "probability")


def test_a_logit_is_right_on_its_side_of_zero():
    assert run("logit", [[-0.2], [0.3]], [0, 1]).figures()["top1"] == 1.0


def test_a_background_line_does_not_turn_a_binary_model_round():
    known = Labels(("background", "cat", "dog"), "L")
    assert run("probability", [[0.2], [0.6]], [1, 2], known).figures()["top1"] == 1.0


def test_several_labels_are_judged_each_and_together():
    outputs = [[0.9, 0.2, 0.7], [0.1, 0.6, 0.4]]
    figures = run("labels", outputs, np.array([[1, 0, 1], [1, 0, 0]], np.bool_), THREE).figures()
    assert figures["top1"] == 0.5  # the second's greatest is none of its labels
    assert figures["accuracy"] == pytest.approx(4 / 6)
    assert figures["f1_micro"] == pytest.approx(2 * 2 / (3 + 3))
    assert figures["mean_average_precision"] == 1.0


def test_class_folders_do_for_a_model_of_several_labels():
    figures = run("labels", [[0.9, 0.2, 0.1], [0.1, 0.6, 0.4]], [0, 1], THREE).figures()
    assert (figures["top1"], figures["accuracy"], figures["f1_macro"]) == (1.0, 1.0, 1.0)


def test_logits_of_several_labels_have_a_threshold_of_zero():
    score = run("logits", [[0.4, -1.0, 0.3]], np.array([[1, 0, 1]], np.bool_), THREE)
    assert (score.head, score.figures()["accuracy"]) == (Head.labels, 1.0)


def test_one_label_an_image_listed_in_a_file_is_a_class():
    score = run("classes", [[0.1, 0.9]], np.array([[0, 1]], np.bool_))
    assert (score.head, score.figures()["top1"]) == (Head.classes, 1.0)
    with pytest.raises(InputError, match="m gives one class an image"):
        run("classes", [[0.1, 0.9]], np.array([[1, 1]], np.bool_))


def test_features_have_no_accuracy_but_a_cosine():
    one = run("features", [[[1.0, 0.0]], [[0.0, 2.0]]], None)
    other = run("features", [[[2.0, 0.0]], [[1.0, 0.0]]], None)
    assert one.figures() == {"n": 2, "head": "features"}
    assert one.likeness(other) == {"cosine": 0.5}
    assert one.likeness(one) == {"cosine": 1.0}


def test_an_average_of_one_map_a_class_is_a_classifier():
    score = run("features", [[0.1, 0.9]], [1])
    assert (score.head, score.figures()["top1"]) == (Head.logits, 1.0)


def test_agreement_is_of_sides_sets_and_first_answers():
    sides = run("probability", [[0.2], [0.6]], [0, 1]).likeness(run("probability", [[0.1], [0.4]], [0, 1]))
    assert sides == {"agreement": 0.5}
    sets = [[0.9, 0.1, 0.6], [0.9, 0.1, 0.1]], [[0.8, 0.2, 0.7], [0.9, 0.6, 0.1]]
    one, other = (run("labels", values, [0, 0], THREE) for values in sets)
    assert one.likeness(other) == {"agreement": 0.5}


def test_a_reference_of_another_kind_is_refused():
    one, other = run("labels", [[0.9, 0.1, 0.6]], [0], THREE), run("features", [[1.0, 2.0]], None)
    with pytest.raises(InputError, match="give the float file of the same model with --reference"):
        one.likeness(other)


def test_images_that_cannot_be_read_are_not_counted():
    score = run("labels", [[0.9, 0.1, 0.2]] * 3, [0, 1, 0], THREE, readable=[True, False, True])
    assert (score.figures()["n"], score.figures()["accuracy"]) == (2, 1.0)


def test_calibration_is_that_of_probabilities_alone():
    # Confidences 0.8 and 0.6, one right: bins of 1/15 hold one each, |1 - 0.8| / 2 + |0 - 0.6| / 2.
    outputs, truth = [[0.8, 0.2], [0.6, 0.4]], [0, 1]
    figures = run("classes", outputs, truth).figures()
    assert (figures["ece"], figures["confidence"]) == pytest.approx((0.4, 0.7))
    # A softmax may exceed 1 by a rounding error; integers without a grid and logarithms are no probabilities.
    assert run("classes", [[1 + 1e-7, 0.0]], [0]).figures()["ece"] == 0
    for odd in ([[200.0, 55.0]], [[-0.1, -2.3]], [[np.nan, np.nan]]):
        assert "ece" not in run("classes", odd, [0]).figures()
    assert "ece" not in run("logits", outputs, truth).figures()
    assert "ece" not in run("logit", [[0.3], [0.4]], truth).figures()


def test_calibration_of_one_score_and_of_several():
    # The answer "cat" to 0.3 has a probability of 0.7, and is right.
    assert run("probability", [[0.3], [0.9]], [0, 1]).figures()["ece"] == pytest.approx((0.3 + 0.1) / 2)
    marks = np.array([[1, 0, 1]], np.bool_)
    assert run("labels", [[0.9, 0.1, 0.8]], marks, THREE).figures()["ece"] == pytest.approx((0.1 + 0.1 + 0.2) / 3)
    assert "ece" not in run("logits", [[0.4, -1.0, 0.3]], marks, THREE).figures()


def test_names_are_short_and_differ():
    lines = ("n02012849 crane", "n03126707 crane", "n01440764 tench, Tinca tinca", "my own, with a comma", "x", "x")
    known = Labels(lines, "L")
    assert run("classes", [[1.0, 0, 0, 0, 0, 0]], [0], known).names == (
        "n02012849 crane",
        "n03126707 crane",
        "tench",
        "my own, with a comma",
        "x #4",
        "x #5",
    )
