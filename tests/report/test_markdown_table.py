"""Tables line up, and other people's names cannot break them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenet_edge.report.markdown_table import Column, grid
from mobilenet_edge.text import printable

COLUMNS = [Column("name", words=True), Column("ms")]


def test_words_stand_left_and_numbers_right():
    assert grid(COLUMNS, [["a", "1.5"], ["longer", "12.25"]]) == (
        "| name   |    ms |\n"
        "| ------ | ----: |\n"
        "| a      |   1.5 |\n"
        "| longer | 12.25 |"
    )  # fmt: skip


def test_a_table_without_rows_is_its_head():
    assert grid(COLUMNS, []) == "| name | ms |\n| ---- | -: |"


def test_a_row_with_too_few_cells_is_a_mistake():
    with pytest.raises(ValueError, match="zip"):
        grid(COLUMNS, [["a"]])


def test_a_bar_stays_in_its_cell():
    assert grid(COLUMNS, [["a|b", "1"]]).endswith("\n| a\\|b |  1 |")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines", "two lines"),
        ("\x1b[31mred", "[31mred"),
        ("tab\there  ", "tab here"),
        ("\u202eright to left", "right to left"),
        ("undecodable\udcff.tflite", "undecodable .tflite"),
        ("é ±4", "é ±4"),
    ],
)
def test_only_printable_characters_are_left(text, shown):
    assert printable(text) == shown


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_every_line_is_as_long_as_the_first_and_has_as_many_cells(rows):
    lines = grid(COLUMNS, rows).split("\n")
    assert len(lines) == len(rows) + 2
    assert {len(line) for line in lines} == {len(lines[0])}
    assert all(line.replace("\\|", "").count("|") == len(COLUMNS) + 1 for line in lines)
    assert all(line.isprintable() for line in lines)
