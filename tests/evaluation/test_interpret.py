"""Outputs become named classes with probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.data.labels import Labels
from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation.classifier import read_outputs
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.interpret import interpret, names

NAMES = ("cat", "dog", "hen")


def said(outputs, head, labels=NAMES, grid=None, top=2):
    answer = read_outputs(np.array(outputs), grid, top)
    return [(each["label"], round(each["probability"], 3)) for each in interpret(answer, head, labels)]


def test_probabilities_are_the_outputs_of_a_softmax():
    assert said([0.1, 0.7, 0.2], Head.classes) == [("dog", 0.7), ("hen", 0.2)]


def test_integers_are_read_on_their_grid_and_ties_go_to_the_first():
    # (64 + 128) / 256 = .75; of the two others the lower index is first, as in `evaluate`.
    outputs = np.int8([-96, 64, -96])
    assert said(outputs, Head.classes, grid=(1 / 256, -128)) == [("dog", 0.75), ("cat", 0.125)]


def test_logits_become_a_softmax():
    # exp(1), exp(2), exp(1000): the last overflows float64 if it is not taken relative to the largest.
    assert said([1.0, 2.0, 1000.0], Head.logits) == [("hen", 1.0), ("dog", 0.0)]
    assert said(np.log([0.2, 0.3, 0.5]), Head.logits) == [("hen", 0.5), ("dog", 0.3)]


@pytest.mark.parametrize(
    ("head", "output", "answer"),
    [
        (Head.probability, 0.8, [("ok", 0.8), ("defect", 0.2)]),
        (Head.probability, 0.5, [("defect", 0.5), ("ok", 0.5)]),  # above one half, not at it
        (Head.logit, 0.0, [("defect", 0.5), ("ok", 0.5)]),
        (Head.logit, np.log(9), [("ok", 0.9), ("defect", 0.1)]),
        (Head.logit, -800.0, [("defect", 1.0), ("ok", 0.0)]),
    ],
)
def test_one_score_tells_two_classes(head, output, answer):
    assert said([output], head, ("defect", "ok")) == answer


def test_each_of_several_labels_says_yes_or_no():
    answer = read_outputs(np.array([0.9, 0.5, 0.6]), None, 3)
    found = {each["label"]: each["yes"] for each in interpret(answer, Head.labels, NAMES)}
    assert found == {"cat": True, "hen": True, "dog": False}


def test_names_fit_the_outputs():
    labels = Labels(NAMES, "labels.txt", inside=True)
    assert names(labels, Head.classes, (1, 3), "m") == NAMES
    # A background class at index 0, as of Google's models.
    assert names(labels, Head.classes, (1, 4), "m") == ("background", *NAMES)
    assert names(None, Head.probability, (1, 1), "m") == (None, None)
    assert names(labels, Head.features, (1, 1, 1, 3), "m") == NAMES
    with pytest.raises(InputError, match="4 features"):
        names(None, Head.features, (1, 4), "m")
    with pytest.raises(InputError, match="5 classes"):
        names(labels, Head.classes, (1, 5), "m")
