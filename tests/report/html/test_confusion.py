"""The confusion matrix of the page: few classes in full, of many the most confused."""

from __future__ import annotations

import json
from dataclasses import replace

from mobilenet_edge.report.html import confusion
from tests.report.html.grid import HOSTILE, evaluation, identity, judged
from tests.report.html.grid import SPECS as MODELS


def of(count: int = 8, changed: int = 12):
    scored = judged(count, changed)[2]
    return confusion.mistakes([scored])[scored.sha256]


def test_few_classes_are_shown_in_full():
    matrix = of()["matrix"]
    assert (len(matrix["names"]), matrix["classes"], matrix["sizes"]) == (8, 8, [50] * 8)
    cells = {(row, column): count for row, column, count in matrix["cells"]}
    assert (cells[0, 0], cells[7, 7], cells[7, 0]) == (50, 43, 7)
    # Eight right, and seven confused: the first class has no error.
    assert len(cells) == 15


def test_of_many_classes_those_that_are_confused_most_often():
    matrix = of(200)["matrix"]
    assert (len(matrix["names"]), matrix["classes"]) == (confusion.MAX_CLASSES, 200)
    # The later, the more often.
    assert "class 199" in matrix["names"]
    assert "class 100" not in matrix["names"]
    assert len(matrix["cells"]) <= confusion.MAX_CLASSES**2


def test_its_size_is_bounded():
    assert len(json.dumps(of(200, 100))) < 12_000
    assert len(of(8, 100)["comparisons"][0]["pictures"]) == confusion.MAX_PICTURES


def test_a_file_without_mistakes_has_no_entry():
    assert confusion.mistakes([evaluation(identity(MODELS[0]), 0.9)]) == {}


def test_names_are_made_printable():
    scored = judged()[2]
    (first, *rest) = scored.comparisons[0].pictures
    evil = replace(scored.comparisons[0], against=HOSTILE, pictures=(replace(first, picture=HOSTILE), *rest))
    (entry,) = confusion.mistakes([replace(scored, comparisons=(evil,))]).values()
    assert "\x1b" not in entry["comparisons"][0]["against"] + entry["comparisons"][0]["pictures"][0]["name"]
