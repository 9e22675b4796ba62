"""The fuzzer finds what there is to find, keeps the input, and says where."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from mobilenet_edge.errors import InputError
from tests.properties.readers import Reader, refused

ROOT = Path(__file__).parents[2]
script = runpy.run_path(str(ROOT / "scripts" / "fuzz.py"))


def picky(data: bytes) -> None:
    if data.startswith(b"a"):
        raise InputError("no; give another")
    if data.startswith(b"b"):
        raise InputError("two\nlines" if data == b"b2" else "")
    if data.startswith(b"c"):
        raise KeyError(data)


READER = Reader(picky, lambda: [b"x"], lambda data, chance: chance.choice((b"a", b"x", b"c", b"c2")))


@pytest.mark.parametrize(("data", "outcome"), [(b"a", True), (b"x", False)])
def test_a_refusal_and_an_answer_are_as_they_should_be(data: bytes, outcome: bool) -> None:
    assert refused(READER, data) is outcome


def test_a_refusal_without_words_is_a_finding() -> None:
    with pytest.raises(AssertionError, match="says nothing"):
        refused(READER, b"b")


def test_a_line_break_in_a_message_is_none_when_it_is_shown() -> None:
    assert refused(READER, b"b2")
    assert str(InputError("two\nlines")) == "two lines"


def test_each_place_is_kept_once(tmp_path: Path) -> None:
    tally = script["Tally"]("picky", tmp_path / "out")

    class Options:
        seconds, examples, seed = None, 40, 0

    script["plain"](tally, READER, Options)
    assert tally.runs == 40
    (kept,) = tally.findings.values()
    assert kept.read_bytes() in (b"c", b"c2")
    ((place, _),) = tally.findings.items()
    assert place.startswith("KeyError at test_fuzz.py:")
    assert 0 < tally.refused < 40
    assert tally.lines()[0].endswith("1 findings")


@pytest.mark.slow
def test_a_reader_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        script["main"](["nonsense"])
    assert stop.value.code == 2
    assert "no reader nonsense; there are tflite, onnx" in capsys.readouterr().err
