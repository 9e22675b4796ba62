"""The reader of flatbuffers, on tables put together byte by byte."""

import struct

import pytest

from mobilenet_edge.formats.wire.flatbuffer import Table

# vtable at 4: its size, the table's size, field 0 at 4, field 1 absent, field 2 at 8; the table at 14 begins with the
# distance back to its vtable.
VTABLE = struct.pack("<5H", 10, 12, 4, 0, 8)
TABLE = struct.pack("<iii", 10, -7, 4)
VECTOR = struct.pack("<I3h", 3, 1, -2, 3)
DATA = struct.pack("<I", 14) + VTABLE + TABLE + VECTOR


def test_fields_are_found_through_the_vtable():
    table = Table.root(DATA)
    assert table.position == 14
    assert table.number(0, "i") == -7
    assert table.numbers(2, "h") == (1, -2, 3)
    assert table.span(2, 2) == (len(DATA) - 6, 3)


def test_absent_fields_have_their_default():
    table = Table.root(DATA)
    assert table.number(1, "i", 5) == 5
    assert table.number(99, "i") == 0
    assert table.table(1) is None
    assert table.text(1) == ""
    assert table.numbers(1, "q") == ()
    assert table.tables(99) == []


def test_text_that_is_not_utf8_is_read_all_the_same():
    assert Table.root(DATA[:26] + struct.pack("<I3s", 3, b"a\xffb")).text(2) == "a\ufffdb"


@pytest.mark.parametrize("length", [4, 1000, 1 << 31, (1 << 32) - 1])
def test_a_claimed_length_is_checked_before_anything_is_read(length):
    data = DATA[:26] + struct.pack("<I", length) + DATA[30:]
    table = Table.root(data)
    for read in (lambda: table.numbers(2, "h"), lambda: table.tables(2), lambda: table.span(2, 8)):
        with pytest.raises(ValueError, match="past the end"):
            read()


@pytest.mark.parametrize("root", [len(DATA) - 3, len(DATA), 1 << 31, (1 << 32) - 1])
def test_an_offset_past_the_end_is_refused(root):
    with pytest.raises(ValueError, match="an offset points to byte"):
        Table.root(struct.pack("<I", root) + DATA[4:]).number(0, "i")


@pytest.mark.parametrize("back", [1000, -1000, -(1 << 31)])
def test_a_vtable_elsewhere_is_refused(back):
    with pytest.raises(ValueError, match="an offset points to byte"):
        Table.root(DATA[:14] + struct.pack("<i", back) + DATA[18:]).number(0, "i")


@pytest.mark.parametrize("size", range(4, len(DATA)))
def test_no_cut_makes_another_error(size):
    try:
        Table.root(DATA[:size]).numbers(2, "h")
    except ValueError:
        return
    pytest.fail("a vector that was cut off has been read")
