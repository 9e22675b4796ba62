"""What an evaluation says of classes and pictures goes to JSON and comes back, and is checked."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenet_edge import records
from mobilenet_edge.errors import InputError
from mobilenet_edge.records import Remark, answers
from mobilenet_edge.records.answers import ClassChange, ClassScore, Comparison, Confusion, PictureChange
from tests.records.test_records import EVALUATION

COMPARISON = Comparison(
    against="float.tflite", sha256="cd" * 32, n=500, changed=31, gained=8, lost=12, difference=-0.008,
    interval=(-0.02, 0.01), p_value=0.5, shown=False, needed=4900,
    classes=(ClassChange(name="cat", gained=8, lost=12),),
    pictures=(PictureChange(picture="cat/1.jpg", truth="cat", before="cat", after="dog", effect=-1),),
)  # fmt: skip
WHOLE = replace(
    EVALUATION,
    classes=(ClassScore(name="cat", n=3, answered=0, right=0, recall=0.0, recall_interval=(0.0, 0.56)),),
    confusions=(Confusion(truth="cat", answer="dog", n=2),),
    class_count=2,
    confusion_count=1,
    ece=0.04,
    confidence=0.7,
    pictures="ef" * 32,
    right=answers.pack(np.arange(500) < 300),
    comparisons=(COMPARISON,),
    remarks=(Remark("calibration-left-out", count=100),),
)


def test_an_evaluation_comes_back_whole(tmp_path):
    records.write(tmp_path / "a.json", [WHOLE])
    assert records.read(tmp_path / "a.json") == [WHOLE]


@pytest.mark.parametrize("version", [1, 2])
def test_an_evaluation_of_an_older_writer_has_none_of_it(tmp_path, version):
    known = {name: value for name, value in EVALUATION.to_dict().items() if name not in NEW}
    (tmp_path / "a.json").write_text(json.dumps([{**known, "schema_version": version}]))
    assert records.read(tmp_path / "a.json") == [EVALUATION]


NEW = {
    "classes", "confusions", "class_count", "confusion_count", "ece", "confidence", "pictures", "right", "comparisons",
    "remarks",
}  # fmt: skip


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_flags_come_back(flags):
    packed = answers.pack(np.array(flags, np.bool_))
    assert len(packed) <= 4 * (len(flags) // 24 + 1)
    assert answers.unpack(packed, len(flags)).tolist() == flags


def test_the_first_flag_is_the_highest_bit():
    assert answers.pack(np.array([True] + [False] * 8)) == "gAA="


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("right", "gA=="),
        ("right", "no base64"),
        ("ece", 1.5),
        ("classes", [{"name": "cat", "n": 1, "answered": 1, "right": 2}]),
        ("classes", [{"name": "cat"}]),
        ("confusions", [{"truth": "cat", "answer": 5, "n": 2}]),
        ("comparisons", [{**json.loads(records.dumps([WHOLE]))[0]["comparisons"][0], "lost": 499}]),
        ("remarks", [5]),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path, place, value):
    (tmp_path / "a.json").write_text(json.dumps([{**WHOLE.to_dict(), place: value}]))
    with pytest.raises(InputError, match="holds no records"):
        records.read(tmp_path / "a.json")
