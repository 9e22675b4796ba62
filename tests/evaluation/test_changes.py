"""Two scores on the same images, compared by hand; no model is run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from mobilenet_edge.data.labels import Labels
from mobilenet_edge.evaluation import changes
from mobilenet_edge.records.answers import ClassChange, Comparison
from tests.evaluation.test_score import THREE, run

FLOAT: Any = SimpleNamespace(path=Path("float.tflite"), sha256="ab" * 32)


def compare(answers: list[int], others: list[int], truth: list[int], **options: Any) -> Comparison | None:
    score, other = (run("classes", np.eye(3)[given], truth, THREE, **options) for given in (answers, others))
    return changes.compare(score, other, FLOAT, [f"{index}.png" for index in range(len(truth))])


def test_what_was_lost_and_gained_by_hand():
    #             lost        gained same  wrong twice
    truth = [0, 0, 1, 1, 2]
    before = [0, 0, 2, 1, 0]
    after = [1, 2, 1, 1, 1]
    found = compare(after, before, truth)
    assert (found.n, found.changed, found.lost, found.gained, found.difference) == (5, 4, 2, 1, -0.2)
    # Two or more of three: (3 + 1) / 8, twice
    assert (found.p_value, found.shown) == (1.0, False)
    assert found.classes == (ClassChange(name="cat", gained=0, lost=2), ClassChange(name="dog", gained=1, lost=0))
    assert [(each.picture, each.truth, each.before, each.after, each.effect) for each in found.pictures] == [
        ("0.png", "cat", "cat", "dog", -1),
        ("1.png", "cat", "cat", "sofa", -1),
        ("2.png", "dog", "sofa", "dog", 1),
        ("4.png", "sofa", "cat", "dog", 0),
    ]


def test_six_lost_and_none_gained_is_shown():
    found = compare([1] * 6 + [0] * 94, [0] * 100, [0] * 100)
    assert (found.lost, found.gained, found.p_value, found.shown) == (6, 0, 0.03125, True)
    assert found.interval[1] < 0


def test_equal_answers_have_no_difference():
    found = compare([0, 1, 2], [0, 1, 2], [0, 0, 2])
    assert (found.changed, found.p_value, found.difference, found.needed, found.pictures) == (0, 1.0, 0.0, None, ())


def test_unreadable_images_are_not_compared():
    truth, readable = np.array([0, 1, 2]), np.array([True, False, True])
    score, other = (run("classes", np.eye(3)[given], truth, THREE, readable) for given in ([1, 1, 2], [0, 0, 2]))
    found = changes.compare(score, other, FLOAT, ["a", "b", "c"])
    assert (found.n, found.lost, [each.picture for each in found.pictures]) == (2, 1, ["a"])


def test_a_background_class_in_one_of_them_does_not_shift_the_names():
    known = Labels(("cat", "dog", "sofa"), "L", inside=True)
    score = run("classes", np.eye(3)[[1]], [1], known)
    other = run("classes", np.eye(4)[[0]], [1], known)
    (picture,) = changes.compare(score, other, FLOAT, ["a"]).pictures
    assert (picture.truth, picture.before, picture.after) == ("dog", "background", "dog")


def test_a_set_of_labels_changes_as_a_whole():
    marks = np.array([[1, 0, 1], [0, 1, 0]], np.bool_)
    score = run("labels", [[0.9, 0.1, 0.8], [0.1, 0.2, 0.3]], marks, THREE)
    other = run("labels", [[0.9, 0.1, 0.2], [0.1, 0.9, 0.3]], marks, THREE)
    found = changes.compare(score, other, FLOAT, ["a", "b"])
    assert (found.gained, found.lost) == (1, 1)
    assert [(each.truth, each.before, each.after) for each in found.pictures] == [
        ("dog", "dog", "-"),
        ("cat | sofa", "cat", "cat | sofa"),
    ]


def test_models_without_classes_or_with_others_are_not_compared():
    one, features = run("classes", [[1.0, 0.0, 0.0]], [0], THREE), run("features", [[[1.0, 0.0]]], None)
    assert changes.compare(one, features, FLOAT, ["a"]) is None
    assert changes.compare(one, run("classes", [[1.0, 0.0, 0.0]], [2], THREE), FLOAT, ["a"]) is None


def test_the_lists_are_bounded():
    found = compare([1] * 300, [0] * 300, [0] * 300)
    assert (found.changed, len(found.pictures)) == (300, changes.MAX_PICTURES)
