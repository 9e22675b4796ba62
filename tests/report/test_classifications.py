"""Answers as a table, and where models disagree."""

from __future__ import annotations

from mobilenet_edge.records import Classification
from mobilenet_edge.report import classifications


def record(artifact, picture, *answers, yes=None):
    entries = [
        {"index": index, "label": label, "probability": share, **({} if yes is None else {"yes": yes})}
        for index, (label, share) in enumerate(answers)
    ]
    return Classification(
        artifact=artifact, sha256="", size_bytes=1, format="tflite", precision="int8", variant="m", picture=picture,
        head="classes", answers=tuple(entries), decode_ms=1.0, prepare_ms=2.0, infer_ms=3.25, runtime="litert",
        runtime_version="2",
    )  # fmt: skip


def test_pictures_on_which_models_disagree_are_named():
    records = [
        record("float.tflite", "a.jpg", ("cat", 0.6), ("dog", 0.4)),
        record("int8.tflite", "a.jpg", ("dog", 0.55), ("cat", 0.45)),
        record("float.tflite", "b.jpg", ("cat", 0.9)),
        record("int8.tflite", "b.jpg", ("cat", 0.8)),
    ]
    text = classifications.table(records)
    assert "| cat 60.0%, dog 40.0% |" in text
    assert "- a.jpg: the models disagree (float.tflite: cat, int8.tflite: dog)" in text
    assert "b.jpg:" not in text


def test_models_that_agree_and_a_model_alone():
    assert "same first answer" in classifications.table([record("a", "p", ("x", 1.0)), record("b", "p", ("x", 0.5))])
    alone = classifications.table([record("a", "p", (None, 0.5))])
    assert "class 0 50.0%" in alone
    assert "model" not in alone


def test_no_label_above_one_half():
    assert "none of the labels (best: cat 40.0%)" in classifications.table([record("a", "p", ("cat", 0.4), yes=False)])


def test_a_frame_is_one_line():
    line = classifications.line([record("a", "camera 0, frame 1", ("cat", 0.6))])
    assert line == "camera 0, frame 1: cat 60.0% (1.0 + 2.0 + 3.2 ms)"
