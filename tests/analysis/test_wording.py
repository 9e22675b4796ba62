"""Every remark has a sentence, and the sentences are pinned here alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import mobilenet_edge
from mobilenet_edge.analysis.wording import DOUBTS, SENTENCES, fields, key, sentence
from mobilenet_edge.records import Remark

PACKAGE = Path(mobilenet_edge.__file__).parent
DOCS = Path(__file__).parents[2] / "docs" / "records.md"


def made() -> list[tuple[str, set[str | None]]]:
    """List the code and the names of values of each remark that the package makes, read off its source."""
    calls = [
        node
        for text in (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
        if "Remark(" in text
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Remark"
    ]
    return [(ast.literal_eval(call.args[0]), {keyword.arg for keyword in call.keywords}) for call in calls]


def test_every_remark_has_a_sentence_and_every_sentence_a_remark():
    remarks = made()
    for code, names in remarks:
        assert code in SENTENCES
        # None stands for **values.
        assert set(fields(SENTENCES[code])) <= names or None in names, code
    assert {code for code, _ in remarks} == SENTENCES.keys() - {"text"}


def test_every_code_is_documented():
    page = " ".join(DOCS.read_text(encoding="utf-8").split())
    for code in SENTENCES.keys() - {"text"}:
        values = ", ".join(f"`{name}`" for name in fields(SENTENCES[code]))
        assert f"`{code}` ({values})" in page if values else f"`{code}`" in page


def test_a_doubt_says_what_to_do():
    # A fact, then advice.
    assert [code for code, text in DOUBTS.items() if ": " not in text] == []


@pytest.mark.parametrize(
    ("remark", "text"),
    [
        (Remark("times-vary", spread=0.14), "times vary by ±14%: close other programs and run again"),
        (Remark("throttled", reasons=["capped", "hot"]), "the CPU was throttled (capped, hot): cool it"),
        (
            Remark("input-size", height=160, width=160, channels=3, shape=(1, 224, 224, 3)),
            "but its input is [1, 224, 224, 3]",
        ),
        (Remark("tensor-size", tensor="'x'", size_bytes=1e12, stored_bytes=2000), "but the file stores 2.00 kB"),
        (Remark("text", text="a sentence of version 1"), "a sentence of version 1"),
        # Of a newer version, and changed by hand.
        (Remark("too-cold", celsius=-4), "too-cold, celsius -4"),
        (Remark("few-runs", runs=4), "few-runs, runs 4"),
        (Remark("times-vary", spread="{x}"), "times-vary, spread {x}"),
    ],
)
def test_sentences(remark: Remark, text: str):
    assert text in sentence(remark)


def test_remarks_that_differ_in_their_numbers_share_a_sentence():
    remarks = [Remark("few-runs", runs=runs, least=20) for runs in (9, 11, 10)]
    assert len({key(each) for each in remarks}) == 1
    assert sentence(*remarks).startswith("9 to 11 runs are too few: ")


def test_remarks_that_differ_in_words_do_not():
    assert key(Remark("no-ops", reason="a")) != key(Remark("no-ops", reason="b"))
    assert key(Remark("swapping")) != key(Remark("powersave"))


def test_a_remark_goes_to_json_and_comes_back():
    remark = Remark("throttled", reasons=["hot"], share=0.5, seen=True, where=None)
    assert Remark.load(remark.to_dict()) == remark
    assert Remark.load("a sentence of version 1") == Remark("text", text="a sentence of version 1")
    for broken in (5, "", {}, {"code": 5}, {"code": "x", "values": {}}):
        with pytest.raises(TypeError):
            Remark.load(broken)
