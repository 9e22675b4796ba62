"""The plan's table shows the arithmetic and what was published."""

import pytest

from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.report import variants


def test_a_row_in_full():
    lines = variants.table([ModelSpec(0.5, 160)]).split("\n")
    assert [cell.strip() for cell in lines[2].strip("|").split("|")] == [
        "mobilenet_v1-a0.50-r160",
        "76.5 M",
        "1.33 M",
        "5.30 MB",
        "1.37 MB",
        "59.1",
        "57.7",
    ]


def test_what_was_not_published_is_a_dash():
    row = variants.table([ModelSpec(0.33, 96, classes=7)]).split("\n")[2]
    assert row.startswith("| mobilenet_v1-a0.33-r96-c7 |")
    assert [cell.strip() for cell in row.strip("|").split("|")][-2:] == ["-", "-"]


def test_order_is_the_callers():
    specs = [ModelSpec(0.25, 128), ModelSpec(1.0, 224), ModelSpec(0.5, 160)]
    rows = variants.table(specs).split("\n")[2:5]
    assert [row.split()[1] for row in rows] == [spec.name for spec in specs]


@pytest.mark.parametrize("fact", ["published", "not measured", "lower bounds", "quantisation-aware"])
def test_the_notes_say_what_the_figures_are(fact):
    assert fact in variants.table([ModelSpec()])


def test_it_fits_a_wide_terminal():
    assert max(map(len, variants.table([ModelSpec(), ModelSpec(0.25, 128)]).split("\n"))) <= 120
