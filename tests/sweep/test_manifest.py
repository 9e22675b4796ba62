"""What is done, and why something is to be done again."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from mobilenet_edge.sweep.manifest import FOLDER, Manifest
from mobilenet_edge.sweep.stage import Stage, differences, digest_all, listing

STAGE = Stage("export a", {"model": "0" * 64, "count": 50, "formats": ("tflite",)})


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """One stage is done and left one file."""
    (tmp_path / "a.tflite").write_bytes(b"whole")
    made = Manifest(tmp_path)
    made.record(STAGE, [tmp_path / "a.tflite"])
    return made


def test_what_was_never_done_is_to_be_done(tmp_path: Path) -> None:
    assert Manifest(tmp_path).stale_reason(STAGE) == "never run"
    assert Manifest(tmp_path).outputs(STAGE) == []


def test_what_was_done_is_fresh(manifest: Manifest) -> None:
    assert manifest.stale_reason(STAGE) is None
    assert manifest.outputs(STAGE) == [manifest.out / "a.tflite"]
    assert manifest.sha256(STAGE) == [hashlib.sha256(b"whole").hexdigest()]


def test_another_stage_is_not(manifest: Manifest) -> None:
    assert manifest.stale_reason(Stage("export b", STAGE.ingredients)) == "never run"


def test_a_changed_ingredient_is_named(manifest: Manifest) -> None:
    changed = Stage(STAGE.name, {**STAGE.ingredients, "count": 100})
    assert manifest.stale_reason(changed) == "count 50 → 100"


def test_a_digest_is_shortened(manifest: Manifest) -> None:
    changed = Stage(STAGE.name, {**STAGE.ingredients, "model": "f" * 64})
    assert manifest.stale_reason(changed) == 'model "00000000000… → "fffffffffff…'


def test_many_changes_are_counted() -> None:
    stage = Stage("build a", dict.fromkeys("abcde", 1))
    assert list(differences(dict(stage.ingredients), {"a": 1})) == [f"{name} 1 → null" for name in "bcde"]


def test_a_missing_file_is_named(manifest: Manifest) -> None:
    (manifest.out / "a.tflite").unlink()
    assert manifest.stale_reason(STAGE) == "a.tflite is missing"


def test_a_changed_file_is_named(manifest: Manifest) -> None:
    (manifest.out / "a.tflite").write_bytes(b"other")
    os.utime(manifest.out / "a.tflite", ns=(1, 1))
    assert manifest.stale_reason(STAGE) == "a.tflite was changed"


def test_a_touched_file_is_judged_by_its_content(manifest: Manifest) -> None:
    os.utime(manifest.out / "a.tflite", ns=(1, 1))
    assert manifest.stale_reason(STAGE) is None


@pytest.mark.parametrize(
    "entry",
    [b"", b"{", b"[]", b"null", b'{"schema_version": 2}', b'{"schema_version": 1}', b"\xff", b"[" * 100_000],
    ids=["empty", "cut off", "list", "null", "newer", "lacking", "no text", "deep"],
)
def test_an_entry_that_cannot_be_read_is_as_good_as_none(manifest: Manifest, entry: bytes) -> None:
    (path,) = (manifest.out / FOLDER).glob("*.stage.json")
    path.write_bytes(entry)
    assert manifest.stale_reason(STAGE) == "never run"
    assert manifest.sha256(STAGE) == []


def test_an_entry_that_lacks_a_field_of_a_file_is_as_good_as_none(manifest: Manifest) -> None:
    (path,) = (manifest.out / FOLDER).glob("*.stage.json")
    entry = json.loads(path.read_text())
    del entry["outputs"][0]["sha256"]
    path.write_text(json.dumps(entry))
    assert manifest.stale_reason(STAGE) == "never run"


def test_names_that_differ_in_what_a_file_cannot_be_called_are_two(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    one, other = Stage("profile a on pi/4", {}), Stage("profile a on pi 4", {})
    (tmp_path / "a.json").write_bytes(b"1")
    manifest.record(one, [tmp_path / "a.json"])
    assert manifest.stale_reason(one) is None
    assert manifest.stale_reason(other) == "never run"


def test_files_are_told_apart_by_name_and_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"1")
    first = digest_all(tmp_path, [tmp_path / "a"])
    assert first != digest_all(tmp_path, [tmp_path / "b"])
    (tmp_path / "a").write_bytes(b"2")
    assert first != digest_all(tmp_path, [tmp_path / "a"])


def test_a_listing_sees_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    os.utime(path, ns=(1, 1))
    first = listing(tmp_path, [path])
    assert listing(tmp_path, [path]) == first
    os.utime(path, ns=(1, 2))
    assert listing(tmp_path, [path]) != first
