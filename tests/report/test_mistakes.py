"""Confusions, classes and differences as text."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from mobilenet_edge.cli.terminal import View, lay_out
from mobilenet_edge.records import Remark
from mobilenet_edge.records.answers import Confusion
from mobilenet_edge.report import accuracy, mistakes
from tests.report.html import grid


@pytest.fixture
def pair():
    """An int8 file on eight classes that lost twelve answers, and its float file."""
    return grid.judged()[2:]


def test_the_ten_worst_confusions_by_name(pair):
    cells = tuple(Confusion(truth=f"c{number}", answer="x", n=number) for number in range(20, 0, -1))
    text = accuracy.table([replace(pair[0], confusions=cells, comparisons=())])
    rows = [line for line in text.splitlines() if "| x " in line]
    assert [row.split("|")[3].strip() for row in rows] == [str(number) for number in range(20, 10, -1)]


def test_files_share_one_table_of_confusions(pair):
    other = replace(pair[0], confusions=pair[0].confusions[:1], comparisons=())
    text = accuracy.table([pair[0], other])
    assert text.count("### Confused most often") == 1
    # The last of eight classes, fifty pictures: seven in both; the one before: six in the first alone.
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    assert ["reptile or amphibian", "bird", "7 of 50"] in rows
    assert ["primate", "reptile or amphibian", "0 to 6 of 50"] in rows


def test_what_happened_once_is_no_pattern(pair):
    once = (Confusion(truth="cat", answer="dog", n=1),)
    assert "Confused" not in accuracy.table([replace(pair[0], confusions=once)])


def test_a_difference_says_whether_it_is_shown(pair):
    assert "-3.0 (-6.0 to -1.0) | shown (p = 0.0005) |   12 |      0 |      12 |" in accuracy.table(pair)
    unsure = replace(pair[0].comparisons[0], p_value=0.2, shown=False, needed=4321)
    text = accuracy.table([replace(pair[0], comparisons=(unsure,)), pair[1]])
    assert "not shown (p = 0.2)" in text
    assert "mobilenet_v1-a0.25-r128.int8.tflite: about 4321 such images would show" in text


def test_details_list_classes_and_pictures(pair):
    brief, whole = (accuracy.table(pair, details=details) for details in (False, True))
    assert "classes:" not in brief
    assert "### 8 of 8 classes: results/mobilenet_v1-a0.25-r128.int8.tflite" in whole
    assert "### 12 of 12 changed answers: results/" in whole
    assert "| bird/0.jpg " in whole


def test_names_do_not_reach_the_terminal(pair):
    evil = Confusion(truth="\x1b[2Jcat", answer="<img src=x>", n=5)
    text = accuracy.table([replace(pair[0], confusions=(evil,), comparisons=())])
    assert "\x1b" not in text
    assert "\\<img" in text


def test_the_images_and_what_is_known_of_them_are_named_once(pair):
    told = [
        replace(each, pictures="1a2b3c4d" * 8, remarks=(Remark("calibration-left-out", count=100),)) for each in pair
    ]
    text = accuracy.table(told)
    assert text.count("Scored on 500 images of images (1a2b3c4d)") == 1
    assert text.count("100 calibration pictures were left out") == 1


def test_many_files_are_counted_not_listed():
    assert mistakes.listed(["a", "b"], 5) == "a, b"
    assert mistakes.listed(["a", "b", "c"], 5) == "3 of 5 files"
    assert mistakes.listed(["a", "b", "c"], 3) == "All files"


def test_it_fits_a_terminal_of_eighty_columns(pair):
    from rich.console import Console

    console = Console(width=80, record=True, file=io.StringIO())
    for block in lay_out(accuracy.table(pair), View(notes=True, drop=False), 80):
        console.print(block)
    assert max(map(len, console.export_text().splitlines())) <= 80
