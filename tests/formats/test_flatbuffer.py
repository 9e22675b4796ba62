"""The reader of flatbuffers, on tables put together byte by byte; the writer, against the flatbuffers package."""

import random
import struct

import flatbuffers
import pytest

from mobilenet_edge.formats.wire.flatbuffer import OFFSET, Builder, Table

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


@pytest.mark.parametrize("seed", range(10))
def test_the_bytes_are_those_of_the_flatbuffers_package(seed):
    draw = random.Random(seed)
    ours, theirs = Builder(), flatbuffers.Builder(16)
    offsets = []
    for _ in range(20):
        data, alignment = draw.randbytes(draw.randrange(40)), draw.choice((1, 4, 16))
        theirs.StartVector(1, len(data), alignment)
        for byte in reversed(data):
            theirs.PrependByte(byte)
        offsets.append(ours.vector(data, len(data), alignment))
        assert theirs.EndVector() == offsets[-1]
        text = "\u00e9" * draw.randrange(9)
        offsets.append(ours.string(text))
        assert theirs.CreateString(text) == offsets[-1]
        fields = [
            (number, form, draw.choice(offsets) if form == OFFSET else draw.randrange(1, 100))
            for number in draw.sample(range(8), draw.randrange(8))
            for form in draw.choices(("b", "i", "q", OFFSET))
        ]
        theirs.StartObject(8)
        prepend = {"b": theirs.PrependInt8Slot, "i": theirs.PrependInt32Slot, "q": theirs.PrependInt64Slot,
                   OFFSET: theirs.PrependUOffsetTRelativeSlot}  # fmt: skip
        for number, form, value in fields:
            prepend[form](number, value, 0)
        offsets.append(ours.table(fields))
        assert theirs.EndObject() == offsets[-1]
    theirs.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        theirs.PrependUOffsetTRelative(offset)
    assert theirs.EndVector() == ours.offsets(offsets)
    theirs.Finish(offsets[-1], b"TFL3")
    assert ours.finish(offsets[-1], b"TFL3") == bytes(theirs.Output())
