"""Files and records of one artifact become one subject."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.budget.gather import gather
from mobilenet_edge.budget.subject import FITTED
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.metadata import Agreement, Metadata, Weights
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.records import Failure, Remark


@pytest.fixture(scope="module")
def bare() -> bytes:
    node = Node("dense", "dense", ("x",), (8,), np.ones((4, 8), np.float32), np.zeros(8, np.float32))
    return tflite.float_tflite(Graph("bench", "x", (4,), (node,)))


def about(**changes) -> Metadata:
    own = {"variant": "v", "precision": "int8", "classes": 8, "macs": 32, "parameters": 40}
    return Metadata(**{**own, "preprocess": Preprocess(), "weights": Weights("random"), **changes})


def write(path: Path, data: bytes, metadata: Metadata) -> str:
    artifact.write(path, data, metadata)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_says_what_it_is(tmp_path, bare):
    path = tmp_path / "v.int8.tflite"
    write(path, bare, about(agreement=Agreement(30.0, 0.9, 50, held_out=True)))
    (subject,), notes = gather([path], [])
    assert subject.key == ("v", "tflite", "int8", "generic")
    assert (subject.size_bytes, subject.macs, subject.parameters) == (path.stat().st_size, 32, 40)
    assert (subject.agreement, subject.agreement_of) == (0.9, "50 held-out images at export")
    assert sum(subject.sections().values()) == subject.size_bytes
    assert notes == []


def test_agreement_on_fitted_images_is_not_believed(tmp_path, bare):
    path = tmp_path / "a.tflite"
    write(path, bare, about(agreement=Agreement(30.0, 1.0, 50)))
    (subject,), _ = gather([path], [])
    assert (subject.agreement, subject.agreement_of) == (None, FITTED)


def test_agreement_on_noise_is_none(tmp_path, bare):
    path = tmp_path / "v.tflite"
    write(path, bare, about(agreement=Agreement(30.0, 1.0, 50, "noise")))
    assert gather([path], [])[0][0].agreement is None


def test_a_foreign_file_is_what_is_in_it(tmp_path, bare):
    path = tmp_path / "mine.tflite"
    path.write_bytes(bare)
    ((subject,), _) = gather([path], [])
    assert subject.key == ("mine", "tflite", "float32", None)
    assert (subject.macs, subject.agreement) == (None, None)


def test_records_of_the_file_are_joined_by_its_hash(tmp_path, bare, make):
    path = tmp_path / "v.tflite"
    digest = write(path, bare, about(agreement=Agreement(30.0, 0.9, 50, held_out=True)))
    own = {"sha256": digest, "size_bytes": path.stat().st_size}
    records = [make.profile(**own, peak_rss_bytes=5), make.profile(**own, host="local", ms=3.0), make.profile("b")]
    (first, second), notes = gather([path], records)
    assert [(each.host, each.median_ms, each.memory_bytes) for each in first.runs] == [
        ("pi4", 20.0, 5),
        ("local", 3.0, None),
    ]
    assert (second.variant, len(second.runs)) == ("b", 1)
    assert notes == []


def test_records_of_an_older_file_are_passed_over_and_told(tmp_path, bare, make):
    path = tmp_path / "v.tflite"
    write(path, bare, about())
    (subject,), notes = gather([path], [make.profile(artifact=str(path))])
    assert subject.runs == ()
    (note,) = notes
    assert note.startswith(f"{path} has changed since it was measured")


def test_nothing_is_hashed_without_a_record_of_that_size(tmp_path, bare, make, monkeypatch):
    path = tmp_path / "v.tflite"
    write(path, bare, about())

    def sha256(data):
        raise AssertionError("hashed")

    monkeypatch.setattr(hashlib, "sha256", sha256)
    assert len(gather([path], [make.profile("b")])[0]) == 2


def test_records_alone_are_enough(make):
    records = [make.inspection(metadata={"agreement": {"top1": 0.8, "count": 5, "held_out": True}}), make.profile()]
    ((subject,), _) = gather([], records)
    assert subject.bytes == {"weights": 1000}
    assert (subject.agreement, subject.agreement_of) == (0.8, "5 held-out images at export")
    assert subject.runs[0].unusable is None


def test_the_lowest_accuracy_counts_and_an_evaluation_more_than_the_export(make):
    records = [
        make.inspection(metadata={"agreement": {"top1": 0.1, "count": 5}}),
        make.evaluation(top1=0.7, agreement=0.9, n=10),
        make.evaluation(top1=0.6, agreement=0.95, n=20),
    ]
    ((subject,), _) = gather([], records)
    assert (subject.top1, subject.agreement, subject.agreement_of) == (0.6, 0.9, "10 images")


def test_invalid_and_emulated_profiles_are_unusable(make):
    invalid, emulated = Remark("throttled", reasons=["hot"]), Remark("emulated", emulator="qemu-aarch64")
    records = [make.profile(invalid=invalid), make.profile(emulated="qemu-aarch64")]
    ((subject,), _) = gather([], records)
    assert [each.unusable for each in subject.runs] == [sentence(invalid), sentence(emulated)]


def test_a_failure_is_told_at_its_artifact(make):
    own = {"variant": "a", "format": "tflite", "precision": "int8", "exit_code": 6}
    failures = [
        Failure(**own, stage="profile", reason="no route", artifact="results/a.int8.tflite"),
        Failure(**{**own, "variant": "gone"}, stage="export", reason="disk full"),
        Failure(variant="none", stage="build", reason="no memory", exit_code=5),
    ]
    (first, second, third), _ = gather([], [make.inspection(), *failures])
    assert first.failures == ("profile failed: no route",)
    assert (second.variant, second.size_bytes, second.failures) == ("gone", None, ("export failed: disk full",))
    assert (third.format, third.failures) == (None, ("build failed: no memory",))


def test_a_damaged_file_is_refused(tmp_path, bare):
    path = tmp_path / "v.tflite"
    write(path, bare, about())
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"v\.tflite is not a whole \.tflite model"):
        gather([path], [])


def test_a_file_given_twice_counts_once(tmp_path, bare):
    path = tmp_path / "v.tflite"
    write(path, bare, about())
    assert len(gather([path, path], [])[0]) == 1
