"""A history grows by lines, and is never left with half a line."""

from __future__ import annotations

import json

import pytest

from mobilenet_edge import files
from mobilenet_edge.budget import history
from mobilenet_edge.errors import InputError


def test_a_line_for_each_usable_profile(make):
    runs = (make.run("pi4", 20.0, memory_bytes=5), make.run("local", 2.0, 2), make.run("x", unusable="throttled"))
    lines = list(history.entries([make.subject(runs=runs, macs=7, top1=0.5)], "abc", "2026-01-02T03:04:05+00:00"))
    assert [(each["host"], each["threads"], each["median_ms"], each["peak_rss_bytes"]) for each in lines] == [
        ("pi4", 1, 20.0, 5), ("local", 2, 2.0, None),
    ]  # fmt: skip
    assert lines[0] == {
        "schema_version": 1, "commit": "abc", "date": "2026-01-02T03:04:05+00:00",
        "artifact": "results/a.int8.tflite", "variant": "a", "format": "tflite", "precision": "int8",
        "target": "generic", "size_bytes": 1000, "macs": 7, "parameters": None, "agreement": None, "top1": 0.5,
        "host": "pi4", "threads": 1, "median_ms": 20.0, "peak_rss_bytes": 5,
    }  # fmt: skip


def test_an_artifact_without_profile_has_a_line_without_latency(make):
    (line,) = history.entries([make.subject(), make.subject("b", size_bytes=None)], None, "now")
    assert (line["size_bytes"], line["median_ms"], line["host"]) == (1000, None, None)


def test_lines_are_added(tmp_path):
    path = tmp_path / "new" / "history.jsonl"
    history.append(path, [{"commit": "a"}])
    history.append(path, [{"commit": "b"}, {"commit": "ö"}])
    assert [json.loads(line)["commit"] for line in path.read_text().splitlines()] == ["a", "b", "ö"]


def test_a_last_line_without_its_end_is_ended(tmp_path):
    path = tmp_path / "history.jsonl"
    path.write_text('{"commit": "a"}')
    history.append(path, [{"commit": "b"}])
    assert path.read_text() == '{"commit": "a"}\n{"commit": "b"}\n'


@pytest.mark.parametrize("text", ["# notes\n", '{"half": ', "[1]\n"])
def test_another_file_is_left_alone(tmp_path, text):
    path = tmp_path / "notes.md"
    path.write_text(text)
    with pytest.raises(InputError, match="is not a history"):
        history.append(path, [{}])
    assert path.read_text() == text


def test_where_writing_fails_the_old_history_stays(tmp_path, monkeypatch):
    path = tmp_path / "history.jsonl"
    history.append(path, [{"commit": "a"}])

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fdopen", full)
    with pytest.raises(InputError, match="no space left on device"):
        history.append(path, [{"commit": "b"}])
    assert path.read_text() == '{"commit": "a"}\n'
    assert list(tmp_path.iterdir()) == [path]
