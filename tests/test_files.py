"""A file is there whole or not at all, and a failure is one line."""

import os
import stat

import pytest

from mobilenet_edge import files
from mobilenet_edge.errors import InputError


def test_bytes_and_text_come_back(tmp_path):
    files.write_bytes(tmp_path / "a.bin", b"\x00\xff")
    files.write_text(tmp_path / "a.txt", "é = 160\n")
    assert files.read_bytes(tmp_path / "a.bin") == b"\x00\xff"
    assert files.read_bytes(tmp_path / "a.txt") == b"\xc3\xa9 = 160\n"


def test_missing_folders_are_made(tmp_path):
    files.write_text(tmp_path / "deep" / "er" / "a.txt", "x")
    assert (tmp_path / "deep" / "er" / "a.txt").read_text() == "x"


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    files.write_text(path, "new")
    assert path.read_text() == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


def test_others_may_read_as_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        files.write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


def test_a_failure_in_the_middle_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(path), "replace", full)
    with pytest.raises(InputError, match=r"cannot write .*a\.txt: no space left on device; choose another place"):
        files.write_text(path, "new")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


def test_an_interruption_leaves_nothing_either(tmp_path, monkeypatch):
    def interrupted(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(tmp_path), "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.write_text(tmp_path / "a.txt", "x")
    assert list(tmp_path.iterdir()) == []


def test_files_that_belong_together_are_all_there_or_none(tmp_path):
    files.write_together({tmp_path / "a.txt": b"old", tmp_path / "b.txt": b"old"})
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"cannot write .*file/c\.txt"):
        files.write_together({tmp_path / "a.txt": b"new", tmp_path / "b.txt": b"new", tmp_path / "file" / "c.txt": b""})
    assert [(tmp_path / name).read_text() for name in ("a.txt", "b.txt")] == ["old", "old"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.txt", "b.txt", "file"]


def test_what_killed_writers_left_can_be_removed(tmp_path):
    for name in (".a.txt.x.part", "b.part", ".c"):
        (tmp_path / name).write_text("x")
    files.remove_parts(tmp_path)
    files.remove_parts(tmp_path / "nowhere")
    assert sorted(each.name for each in tmp_path.iterdir()) == [".c", "b.part"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device"), "cannot write: no space left on device; free some space"),
        (OSError(30, "Read-only file system", "/a"), "cannot write /a: read-only file system; free some space"),
        (FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"), "no temporary folder can be written"),
        (OSError(2, "No such file or directory", "/a"), None),
        (OSError("odd"), None),
    ],
)
def test_a_disk_that_takes_no_more_is_told_from_a_bug(error, told):
    found = files.no_room(error)
    assert found is None if told is None else str(found).startswith(told)


def test_a_place_that_is_no_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="choose another place"):
        files.write_text(tmp_path / "file" / "a.txt", "x")
    assert (tmp_path / "file").read_text() == "x"


def test_a_folder_is_not_overwritten(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(InputError, match="is a directory"):
        files.write_text(tmp_path / "a.txt", "x")
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(("name", "reason"), [("missing", "no such file"), (".", "is a directory")])
def test_what_cannot_be_read_is_one_line(tmp_path, name, reason):
    with pytest.raises(InputError, match=reason) as caught:
        files.read_bytes(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_reasons_are_the_systems_own():
    assert files.reason(OSError(13, "Permission denied")) == "permission denied"
    assert files.reason(OSError("odd")) == "odd"
