"""What a baseline is read from, and which of its artifacts is meant."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mobilenet_edge import records
from mobilenet_edge.budget import baseline, git
from mobilenet_edge.budget.baseline import Baseline
from mobilenet_edge.errors import InputError


def test_records_are_a_baseline(tmp_path, make):
    records.write(tmp_path / "b.json", [make.inspection(size_bytes=900), make.profile(ms=10.0, size_bytes=900)])
    found = baseline.read(str(tmp_path / "b.json")).find(make.subject(target=None))
    assert found.size_bytes == 900
    assert found.runs[0].median_ms == 10.0


def test_an_earlier_check_is_a_baseline(make):
    before = make.subject(runs=(make.run(memory_bytes=7),), bytes={"weights": 900}, failures=("x",))
    whole = {"schema_version": 1, "kind": "check", "artifacts": [{**before.to_dict(), "later": 1}]}
    # Through JSON: lists come back where tuples were.
    assert baseline.loads(json.dumps(whole).encode(), "b").find(make.subject()) == before


def elsewhere(subject, path):
    return replace(subject, artifact=path)


def test_the_artifact_is_known_by_its_path_whatever_it_was_there(make):
    old = make.subject("a")
    found = Baseline("b", (old, make.subject("b")))
    assert found.find(make.subject("a", size_bytes=5)) is old
    assert found.find(make.subject("a", precision="float32", variant="other")) is old
    assert found.find(elsewhere(make.subject("a"), "./results/a.int8.tflite")) is old


def test_an_artifact_that_moved_is_known_by_what_it_is(make):
    found = Baseline("b", (make.subject("a"), make.subject("b")))
    assert found.find(elsewhere(make.subject("a"), "new/a.int8.tflite")) == make.subject("a")
    assert found.find(elsewhere(make.subject("a", format="onnx"), "new/a.int8.onnx")) is None


def test_among_several_alike_the_file_name_decides(make):
    one, other = make.subject(), elsewhere(make.subject(), "old/best.tflite")
    found = Baseline("b", (one, other))
    assert found.find(elsewhere(make.subject(), "new/best.tflite")) is other
    with pytest.raises(InputError, match=r"b has results/a\.int8\.tflite 2 times"):
        Baseline("b", (one, one)).find(make.subject())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no records"),
        ("[1]", "holds no records"),
        ("{", "is not a baseline"),
        ("{}", "is not a baseline"),
        ('{"kind": "check", "schema_version": 2}', "its kind or version is another"),
        ('{"kind": "check", "schema_version": 1, "artifacts": [{}]}', "is not a baseline"),
        ('{"kind": "check", "schema_version": 1, "artifacts": [{"artifact": 1, "variant": "a"}]}', "is not a baseline"),
        (
            '{"kind": "check", "schema_version": 1, "artifacts": [{"artifact": "a", "variant": "a", "runs": 1}]}',
            "is no",
        ),
    ],
)
def test_what_is_no_baseline(text, message):
    with pytest.raises(InputError, match=message):
        baseline.loads(text.encode(), "b.json")


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("git:main", ("main", "own.json")),
        ("git:v1:x/b.json", ("v1", "x/b.json")),
        ("git:HEAD^1", ("HEAD^1", "own.json")),
    ],
)
def test_git_is_asked_for_the_file_of_the_budgets_or_another(monkeypatch, source, asked):
    calls = []

    def show(ref, path):
        calls.append((ref, path))
        return b"[]"

    monkeypatch.setattr(git, "show", show)
    baseline.read(source, "own.json")
    assert calls == [asked]


def test_git_without_a_path_is_refused():
    with pytest.raises(InputError, match=r"git:main names no file; write git:main:PATH"):
        baseline.read("git:main")
