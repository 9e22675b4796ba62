"""Classes and confusions counted by hand; no model is run."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.analysis.binomial import wilson
from mobilenet_edge.data.labels import Labels
from mobilenet_edge.evaluation import breakdown
from mobilenet_edge.records.answers import Confusion
from tests.evaluation.test_score import THREE, run


def test_recall_precision_and_confusions_by_hand():
    # Right: cat cat cat dog dog sofa; answered: cat dog dog dog cat dog.
    answers = [0, 1, 1, 1, 0, 1]
    found = breakdown.by_class(run("classes", np.eye(3)[answers], [0, 0, 0, 1, 1, 2], THREE))
    cat, dog, sofa = found["classes"]
    assert (cat.name, cat.n, cat.answered, cat.right) == ("cat", 3, 2, 1)
    assert (cat.recall, cat.precision) == pytest.approx((1 / 3, 1 / 2), abs=1e-4)
    assert cat.recall_interval == pytest.approx(wilson(1, 3), abs=1e-4)
    assert (dog.answered, dog.right, dog.precision_interval) == (4, 1, pytest.approx(wilson(1, 4), abs=1e-4))
    assert (sofa.recall, sofa.precision, sofa.precision_interval) == (0.0, None, None)
    assert found["confusions"] == (
        Confusion(truth="cat", answer="dog", n=2),
        Confusion(truth="dog", answer="cat", n=1),
        Confusion(truth="sofa", answer="dog", n=1),
    )
    assert (found["class_count"], found["confusion_count"]) == (3, 3)


def test_a_binary_model_has_two_classes():
    found = breakdown.by_class(run("probability", [[0.2], [0.6], [0.9]], [0, 0, 1]))
    assert [(each.name, each.n, each.answered, each.right) for each in found["classes"]] == [
        ("cat", 2, 1, 1),
        ("dog", 1, 2, 1),
    ]
    assert found["confusions"] == (Confusion(truth="cat", answer="dog", n=1),)


def test_an_answer_may_be_the_background_or_a_class_without_pictures():
    known = Labels(("cat", "dog", "sofa"), "L", inside=True)
    # Four outputs: background, cat, dog, sofa. Two cats, answered background and sofa.
    found = breakdown.by_class(run("classes", np.eye(4)[[0, 3]], [0, 0], known))
    assert [(each.name, each.n, each.answered) for each in found["classes"]] == [
        ("background", 0, 1),
        ("cat", 2, 0),
        ("sofa", 0, 1),
    ]
    assert {each.answer for each in found["confusions"]} == {"background", "sofa"}


def test_of_several_labels_each_has_its_recall_and_none_is_confused():
    outputs = [[0.9, 0.2, 0.7], [0.1, 0.6, 0.4]]
    found = breakdown.by_class(run("labels", outputs, np.array([[1, 0, 1], [1, 0, 0]], np.bool_), THREE))
    assert [(each.name, each.n, each.answered, each.right) for each in found["classes"]] == [
        ("cat", 2, 1, 1),
        ("dog", 0, 1, 0),
        ("sofa", 1, 1, 1),
    ]
    assert "confusions" not in found


def test_features_have_no_classes():
    assert breakdown.by_class(run("features", [[[1.0, 0.0]]], None)) == {}


def test_of_a_thousand_classes_those_with_most_errors_are_kept():
    lines = tuple(f"n{index:08} class {index}, synonym" for index in range(1000))
    truth = np.repeat(np.arange(1000), 3)
    # Every class loses one of three pictures to the next, except the first hundred, which lose all three.
    answers = truth.copy()
    answers[::3] = (answers[::3] + 1) % 1000
    answers[:300] = (truth[:300] + 1) % 1000
    found = breakdown.by_class(run("classes", np.eye(1000, dtype=np.float32)[answers], truth, Labels(lines, "L")))
    assert (found["class_count"], found["confusion_count"]) == (1000, 1000)
    assert len(found["classes"]) == len(found["confusions"]) == breakdown.MAX_ENTRIES
    names = [each.name for each in found["classes"]]
    assert names[:100] == [f"class {index}" for index in range(100)]
    assert {each.n for each in found["confusions"][:100]} == {3}
    assert {each.n for each in found["confusions"][100:]} == {1}
    assert size(found) < 60_000


def size(found: dict[str, Any]) -> int:
    return len(json.dumps([vars(each) for name in ("classes", "confusions") for each in found[name]]))
