"""The reader of protobuf, on messages put together byte by byte."""

import pytest

from mobilenet_edge.formats.wire.protobuf import Message, chunk, floats, number, signed, text

# The examples of "Encoding" in the protobuf documentation: field 1 = 150, field 2 = "testing".
NUMBER = b"\x08\x96\x01"
TEXT = b"\x12\x07testing"


def test_numbers_and_texts():
    message = Message.parse(NUMBER + TEXT)
    assert message.number(1) == 150
    assert message.text(2) == "testing"
    assert message.number(9, 7) == 7
    assert message.text(9) == ""
    assert message.message(9) is None


def test_what_is_encoded_is_as_documented():
    assert number(1, 150) == NUMBER
    assert text(2, "testing") == chunk(2, b"testing") == TEXT
    assert chunk(16, b"") == b"\x82\x01\x00"


def test_the_last_of_a_singular_field_counts():
    assert Message.parse(NUMBER + b"\x08\x05").number(1) == 5
    assert Message.parse(TEXT + b"\x12\x01x").text(2) == "x"


def test_repeated_fields_keep_their_order_packed_or_not():
    assert Message.parse(TEXT + b"\x12\x01x").texts(2) == ("testing", "x")
    assert Message.parse(b"\x0a\x03\x01\x96\x01").varints(1) == [1, 150]
    assert Message.parse(b"\x08\x01\x08\x96\x01").varints(1) == [1, 150]


def test_messages_in_messages():
    message = Message.parse(b"\x1a\x03" + NUMBER)
    assert message.message(3).number(1) == 150
    assert [each.number(1) for each in message.messages(3)] == [150]


def test_fixed_sizes():
    message = Message.parse(b"\x0d\x01\x00\x00\x00\x11\x02\x00\x00\x00\x00\x00\x00\x00")
    assert (message.number(1), message.number(2)) == (1, 2)


def test_negative_numbers_are_twos_complements():
    message = Message.parse(b"\x08" + b"\xff" * 9 + b"\x01")
    assert signed(message.number(1)) == -1
    assert signed(5) == 5


def test_floats_are_little_endian_and_a_rest_is_left():
    assert floats(memoryview(b"\x00\x00\x80\x3f\x00\x00\x00\x40\x01")) == (1.0, 2.0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x08", "cut off"),
        (b"\x08\x80", "cut off"),
        (b"\x12\x08testing", "reaches past the end"),
        (b"\x12\xff\xff\xff\xff\x0f", "reaches past the end"),
        (b"\x12" + b"\xff" * 9 + b"\x01", "reaches past the end"),
        (b"\x0d\x01", "reaches past the end"),
        (b"\x08" + b"\xff" * 10, "has no end"),
        (b"\x00\x01", "field 0"),
        (b"\x0b", "wire type 3"),
        (b"\x0e", "wire type 6"),
    ],
)
def test_damage_is_a_value_error(data, reason):
    with pytest.raises(ValueError, match=reason):
        Message.parse(data)


def test_a_damaged_text_is_read_all_the_same():
    assert Message.parse(b"\x12\x02\xff\x41").text(2) == "\ufffdA"
