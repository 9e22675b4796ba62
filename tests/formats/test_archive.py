"""A zip behind a file: the same bytes each time, unpacked by anybody, refused when damaged."""

import io
import zipfile

import pytest

from mobilenet_edge.formats import archive

HEAD = b"model" * 20


def test_members_come_back_and_the_file_before_them_stays():
    whole = archive.append(HEAD, {"a.json": "{}", "labels.txt": "größe\n"})
    assert whole.startswith(HEAD)
    assert archive.read(whole, "a.json") == "{}"
    assert archive.read(whole, "labels.txt") == "größe\n"
    assert archive.read(whole, "other") is None
    assert archive.start(whole) == len(HEAD)


def test_the_same_members_give_the_same_bytes():
    assert archive.append(HEAD, {"a": "x"}) == archive.append(HEAD, {"a": "x"})


def test_it_is_an_ordinary_zip():
    with zipfile.ZipFile(io.BytesIO(archive.append(HEAD, {"a.txt": "x"}))) as file:
        assert file.testzip() is None
        (entry,) = file.infolist()
    assert entry.date_time == (1980, 1, 1, 0, 0, 0)
    assert entry.external_attr >> 16 == 0o644


def test_members_join_a_zip_that_is_there():
    first = archive.append(b"", {"config.json": "{}"})
    assert archive.read(archive.append(first, {"more": "x"}), "config.json") == "{}"


def test_a_file_without_a_zip_has_no_members():
    assert archive.read(HEAD) is None
    assert archive.sizes(HEAD) is None
    assert archive.start(HEAD) == len(HEAD)


def test_sizes_are_those_in_the_file():
    whole = archive.append(b"", {"a": "x" * 10_000})
    assert 0 < archive.sizes(whole)["a"] < 100


@pytest.mark.parametrize("lost", [1, 10, 22, 60])
def test_a_zip_that_lost_its_end_is_damaged(lost):
    whole = archive.append(HEAD, {"a": "x" * 100})
    with pytest.raises(ValueError, match="cut off"):
        archive.read(whole[:-lost], "a")


def test_a_bomb_is_refused():
    bomb = archive.append(HEAD, {"a": "x" * (archive.LIMIT + 1)})
    assert len(bomb) < 100_000
    with pytest.raises(ValueError, match="larger than 4 MiB"):
        archive.read(bomb, "a")


def test_other_compressions_are_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("a", "x" * 1000)
    with pytest.raises(ValueError, match="compression"):
        archive.read(buffer.getvalue(), "a")


def test_a_member_that_is_no_text_is_a_value_error():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a", b"\xff\xfe")
    with pytest.raises(ValueError, match="utf-8"):
        archive.read(buffer.getvalue(), "a")


def test_a_locked_member_is_a_value_error():
    whole = bytearray(archive.append(HEAD, {"a": "x"}))
    whole[whole.rindex(b"PK\x01\x02") + 8] |= 1
    whole[whole.index(b"PK\x03\x04") + 6] |= 1
    with pytest.raises(ValueError, match="damaged"):
        archive.read(bytes(whole), "a")
