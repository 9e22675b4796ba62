"""JSON from outside: what can be computed with and written, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenet_edge.records import strict

WHOLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=10,
)


@given(WHOLE, st.booleans())
def test_what_can_be_written_comes_back(value, ascii):
    text = json.dumps(value, ensure_ascii=ascii)
    assert strict.loads(text) == strict.loads(text.encode()) == value


@pytest.mark.parametrize("text", ["NaN", "-Infinity", '{"a": [Infinity]}'])
def test_what_is_no_number_of_json_is_refused(text):
    with pytest.raises(ValueError, match="not a JSON number"):
        strict.loads(text)


@pytest.mark.parametrize("text", ["1e400", "-1e400", str(2**64), str(-(2**63) - 1), "1" + "0" * 5000, "-" + "9" * 400])
def test_what_no_number_holds_is_refused_shortly(text):
    with pytest.raises(ValueError, match="is out of range") as caught:
        strict.loads(f'{{"a": [{text}]}}')
    assert len(str(caught.value)) < 80


def test_the_ends_of_64_bits_are_taken():
    assert strict.loads(f"[{2**64 - 1}, {-(2**63)}, 1e-400]") == [2**64 - 1, -(2**63), 0.0]


@pytest.mark.parametrize("text", ['"\\ud800"', '{"\\uDFFF": 1}', '["\\ud800\\ud800"]'])
def test_half_a_character_is_refused(text):
    with pytest.raises(ValueError, match="lone surrogate"):
        strict.loads(text)
    assert strict.loads('"\\ud83d\\ude00 \\u00e9"') == "😀 é"  # two halves are one


@pytest.mark.parametrize("text", [b'"\xed\xa0\x80"', b"\xff\xfe1\x00"])
def test_bytes_are_utf_8(text):
    with pytest.raises(ValueError, match="utf-8"):
        strict.loads(text)


def test_brackets_without_end_are_the_parsers_error():
    with pytest.raises(RecursionError):
        strict.loads("[" * 100_000)
