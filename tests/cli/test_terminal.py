"""A terminal gets tables in its width; a pipe gets Markdown."""

from __future__ import annotations

import re

import pytest

from mobilenet_edge.cli import output
from mobilenet_edge.cli.terminal import View, align, choose, parse
from mobilenet_edge.errors import UsageError
from mobilenet_edge.report.markdown_table import Column, grid

COLUMNS = (Column("variant", words=True), Column("format", words=True), Column("MACs"), Column("ms"), Column("Pareto"))
ROWS = [["net-a0.50", "tflite", "76.5 M", "9.90 ±0.94", "*"], ["net-a0.25", "tflite", "467.3 k", "12.5", ""]]
TABLE = grid(COLUMNS, ROWS)
PLAIN = View()
NOTES = "\n".join(f"- note {number}" for number in range(1, 8))


# What rich writes for bold and colours.
STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Show a text on a terminal of so many columns and return its lines."""

    def show(text: str, width: int, view: View | None = PLAIN) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
        output.show(text, view)
        return [line.rstrip() for line in STYLE.sub("", capsys.readouterr().out).splitlines()]

    return show


def test_a_table_is_read_back():
    table = parse(grid([Column("a", words=True), Column("n")], [["x | <y>", "1"], [r"c:\d", "-"]]))
    assert table is not None
    assert (table.titles[1], table.right) == ("n", (False, True))
    assert table.rows == (("x | <y>", "1"), (r"c:\d", "-"))
    assert parse("- a note\n- another") is None
    assert parse("| not a table |") is None


def test_points_stand_below_each_other():
    assert align(["9.90 ±0.94", "12.5", "-", "3"]) == [" 9.90 ±0.94", "12.5       ", "-", " 3         "]


def test_nothing_is_left_out_where_there_is_room(terminal):
    lines = terminal(TABLE, 80)
    assert lines[0].split() == ["variant", "format", "MACs", "ms", "Pareto"]
    assert lines[1].split()[:2] == ["net-a0.50", "tflite"]
    assert len(lines) == 3


@pytest.mark.parametrize("width", [30, 24])
def test_the_least_important_columns_go_first(terminal, width):
    lines = terminal(TABLE, width)
    assert max(map(len, lines)) <= width
    text = " ".join(lines)
    assert "Left out: variant without net-, format (tflite)" in text
    assert ("MACs" in lines[0]) == (width == 30)
    assert "9.90 ±0.94" in text


def test_all_columns_with_wide(terminal):
    lines = terminal(TABLE, 24, View(wide=True))
    assert lines[0].split() == ["variant", "format", "MACs", "ms", "Pareto"]
    assert "net-a0.50" in lines[1]


def test_columns_are_chosen_in_order_and_for_a_pipe(terminal):
    assert terminal(TABLE, 80, View(columns=("ms", "Variant")))[0].split() == ["ms", "variant"]
    assert choose(TABLE, ("ms", "variant")).startswith("|         ms | variant   |\n")
    with pytest.raises(UsageError, match="no column is called 'size'; give --columns any of variant, format, MACs"):
        choose(TABLE, ("size",))


def test_the_last_five_notes(terminal):
    lines = terminal(f"{TABLE}\n\n{NOTES}", 80)
    assert lines[-6:] == [*(f"- note {number}" for number in range(3, 8)), "2 more: --notes"]
    assert terminal(NOTES, 80, View(notes=True)) == NOTES.split("\n")


def test_words_are_not_broken(terminal):
    assert terminal("one two three", 8) == ["one two", "three"]


def test_a_paragraph_wrapped_for_a_wider_page_is_joined(terminal):
    wide = (
        "Sizes are lower bounds: 4 bytes per parameter in float32, and for int8 1 byte per weight, 4 per bias and 4 per"
    )
    text = f"{wide}\nchannel scale.\nTop-1 is published.\nmodels/a.keras\n8 classes"
    first, second, sentence, path, count = terminal(text, 80)
    assert f"{first} {second}" == f"{wide} channel scale."
    assert (sentence, path, count) == ("Top-1 is published.", "models/a.keras", "8 classes")


def test_names_are_whole_where_other_columns_can_be_folded(terminal):
    name = "mobilenet_v1-a0.25"
    table = grid((Column("variant", words=True), *[Column(title) for title in "abcdef"]), [[name, *["1234567"] * 6]])
    assert any(line.startswith(f"{name}  ") for line in terminal(table, 60, View(drop=False)))


def test_what_machines_read_stays_as_it_is(terminal):
    assert terminal("x" * 200, 80, None) == ["x" * 200]


def test_a_name_says_nothing_to_the_terminal(terminal):
    assert terminal(grid(COLUMNS[:1], [["\x1b]0;red[bold]\x07"], ["b"]]), 80)[1] == "]0;red[bold]"
