"""The lines of `mnet check --record` are read back; anything else is refused with its line."""

import json

import pytest

from mobilenet_edge.budget import history as written
from mobilenet_edge.budget.subject import Subject
from mobilenet_edge.errors import InputError
from mobilenet_edge.report.html import timeline
from tests.report.html.grid import history as lines


def write(path, entries):
    path.write_text("".join(f"{json.dumps(each)}\n" for each in entries))
    return path


def test_lines_are_read(tmp_path):
    entries = timeline.read(write(tmp_path / "history.jsonl", lines(2)))
    assert len(entries) == 4
    assert entries[0].moment == ("2026-11-01T10:00:00+00:00", "1111111")
    assert entries[0].file == "mobilenet_v1-a0.50-r160 int8 tflite"
    assert entries[0].line == "mobilenet_v1-a0.50-r160 int8 tflite, pi4, 1 thread"


def test_what_a_check_writes_is_read(tmp_path):
    path = tmp_path / "history.jsonl"
    subject = Subject("a.tflite", "a", "tflite", "int8", None, 1000, None, None)
    written.append(path, list(written.entries([subject], "abc", "2026-11-22")))
    (entry,) = timeline.read(path)
    assert (entry.artifact, entry.size_bytes, entry.median_ms, entry.commit) == ("a.tflite", 1000, None, "abc")


def test_checks_are_in_order_of_their_dates():
    entries = [
        timeline.Entry(
            date=date, commit=commit, artifact="a", variant="a", format="onnx", precision="int8", size_bytes=1
        )
        for date, commit in (("2026-11-02", "b"), ("2026-11-01", "z"), ("2026-11-01", "a"), ("2026-11-02", "b"))
    ]
    assert timeline.moments(entries) == [("2026-11-01", "z"), ("2026-11-01", "a"), ("2026-11-02", "b")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "Expecting"),
        ("[]", "not a JSON object"),
        ("{}", "missing"),
        (json.dumps({**lines(1)[0], "size_bytes": "big"}), "size_bytes cannot be 'big'"),
        (json.dumps({**lines(1)[0], "median_ms": 0}), "above 0"),
        (json.dumps({**lines(1)[0], "schema_version": 2}), "schema version 2"),
    ],
)
def test_anything_else_is_refused_with_its_line(tmp_path, line, reason):
    path = tmp_path / "history.jsonl"
    path.write_text(f"{json.dumps(lines(1)[0])}\n{line}\n")
    with pytest.raises(InputError, match="line 2 of") as caught:
        timeline.read(path)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
