"""What alpha and rho save, on the page and as charts."""

from __future__ import annotations

import json
import re

import pytest

from mobilenet_edge.report import scaling
from mobilenet_edge.report.html import document, machines, multipliers
from mobilenet_edge.report.html.pictures import pictures
from mobilenet_edge.report.rows import by_machine, join
from mobilenet_edge.report.scaling import Point, Scaling
from tests.report.html.grid import grid, multiplied, multiplied_elsewhere


def test_page_has_lines_and_table():
    page = document.html(join(multiplied()), [])
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    (group,) = json.loads(text)["multipliers"]
    assert group["title"] == "int8 tflite, litert 2.3.0, 1 thread"
    # Times are proportional to (0.1 + 0.9 alpha²) and to the square of rho.
    assert group["alpha"][0] == {"name": "rho 224", "points": [[0.5, 0.325], [1.0, 1.0]]}
    assert group["rho"][1] == {"name": "alpha 0.5", "points": [[128, 0.3265], [224, 1.0]]}
    section = page.split('<section id="multipliers-section">')[1].split("</section>")[0]
    assert re.findall(r"<span>(.*?)</span>", section) == [column.title for column in scaling.COLUMNS]
    assert section.count("<tr>") == 5
    assert "hidden><label>measured" in section


def test_page_without_a_grid_has_no_section():
    assert 'id="multipliers-section"' not in document.html(join(grid()), [])


def test_machines_are_named_where_there_are_several():
    rows = join([*multiplied(), *multiplied_elsewhere()])
    names = machines.names(by_machine(rows))
    found = multipliers.data(rows, names)
    assert sorted(each["title"].rpartition(", ")[2] for each in found) == sorted(names.values())


@pytest.mark.slow
def test_a_line_without_the_largest_begins_on_the_prediction():
    sizes = {(1.0, 224): 8.0, (0.5, 224): 3.0, (0.5, 128): 1.0, (0.25, 128): 0.5}
    found = Scaling("here", "float32", tuple(Point(*size, macs=9, ms=ms) for size, ms in sizes.items()))
    figure = multipliers.over_alpha([found], {})
    assert figure is not None
    (axes,) = figure.axes
    _, complete, line = axes.lines
    assert list(complete.get_ydata()) == pytest.approx([0.375, 1.0])
    # 0.5 of 1.0 is predicted to take a quarter; half of that time is an eighth.
    assert list(line.get_ydata()) == pytest.approx([0.125, 0.25])


@pytest.mark.slow
def test_charts_have_the_prediction_and_the_same_bytes_again():
    rows = join(multiplied())
    charts = {name: data for name, data in pictures(rows, []) if name.startswith("latency-")}
    assert sorted(charts) == ["latency-alpha.png", "latency-alpha.svg", "latency-rho.png", "latency-rho.svg"]
    assert dict(pictures(rows, [])).items() >= charts.items()
    figure = multipliers.over_alpha(scaling.scalings(rows), machines.names(by_machine(rows)))
    assert figure is not None
    (axes,) = figure.axes
    predicted, *lines = axes.lines
    assert [line.get_label() for line in lines] == ["rho 224", "rho 128"]
    xs, ys = predicted.get_data()
    assert list(ys) == pytest.approx([x**2 for x in xs])
    assert list(lines[0].get_ydata()) == pytest.approx([0.325, 1.0], rel=1e-3)
