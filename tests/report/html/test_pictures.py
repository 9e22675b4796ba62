"""Pictures: there where there is something to draw, the same bytes every time."""

import xml.etree.ElementTree as ET

import pytest

from mobilenet_edge.records import Remark
from mobilenet_edge.report.html import tradeoff
from mobilenet_edge.report.html.pictures import NAMES, pictures
from mobilenet_edge.report.html.points import label
from mobilenet_edge.report.html.timeline import Entry
from mobilenet_edge.report.rows import by_machine, join
from tests.report.html.grid import (
    SPECS,
    evaluation,
    grid,
    hostile,
    identity,
    long,
    multiplied,
    prediction,
    profile,
    with_operators,
)
from tests.report.html.grid import history as lines
from tests.report.html.test_curves import RUNS

# matplotlib takes a second to import, and figures take seconds to draw.
pytestmark = pytest.mark.slow

OWN = identity(SPECS[1])
PNG = b"\x89PNG\r\n\x1a\n"


def entries():
    known = set(Entry.__dataclass_fields__)
    return [Entry(**{name: value for name, value in line.items() if name in known}) for line in lines()]


@pytest.fixture(scope="module")
def everything():
    return dict(pictures(join([*grid(), *multiplied(), long(OWN), with_operators(OWN)]), entries(), RUNS))


def test_all_there_are(everything):
    assert list(everything) == [f"{name}.{kind}" for name in NAMES for kind in ("svg", "png")]
    for name, data in everything.items():
        if name.endswith("png"):
            assert data.startswith(PNG)
        else:
            assert ET.fromstring(data).tag == "{http://www.w3.org/2000/svg}svg"


def test_only_what_can_be_drawn():
    assert [name for name, _ in pictures(join([profile(OWN, 1.0)]), [])] == [
        f"{name}.{kind}" for name in ("accuracy-latency", "accuracy-size", "latency") for kind in ("svg", "png")
    ]
    assert [name for name, _ in pictures([], entries())] == ["history.svg", "history.png"]
    foreign = profile(identity(SPECS[1], variant="mine", spec=None), 1.0, invalid=Remark("throttled", reasons=["hot"]))
    assert list(pictures(join([foreign]), [])) == []


@pytest.mark.slow
def test_points_of_the_front_are_named():
    rows = join(grid())
    figure = tradeoff.latency(by_machine(rows))
    assert figure is not None
    names = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert names
    assert names <= {label(row) for row in rows if row.pareto}


@pytest.mark.slow
def test_the_same_rows_make_the_same_bytes(everything):
    again = dict(pictures(join([*grid(), *multiplied(), long(OWN), with_operators(OWN)]), entries(), RUNS))
    assert again == everything


def test_names_that_mean_harm_are_drawn_as_they_are():
    made = dict(pictures(join(hostile()), []))
    for name, data in made.items():
        if name.endswith("svg"):
            assert {each.tag.rpartition("}")[2] for each in ET.fromstring(data).iter()}.isdisjoint({"script", "img"})
    assert "latency.svg" in made


def front_of(axes):
    """Corners of the first front: the points it goes through."""
    return [tuple(map(float, point)) for point in axes.lines[0].get_xydata()]


def test_the_front_goes_through_what_no_other_beats():
    # The second is slower than the first and no better; the third is slower and better.
    small, middle, large = (identity(spec) for spec in SPECS)
    records = [
        profile(small, 1.0), evaluation(small, 0.5), profile(middle, 2.0), evaluation(middle, 0.5),
        profile(large, 3.0), evaluation(large, 0.7),
    ]  # fmt: skip
    figure = tradeoff.latency(by_machine(join(records)))
    assert figure is not None
    assert front_of(figure.axes[0]) == [(pytest.approx(1.035), 50.0), (pytest.approx(3.105), pytest.approx(70.0))]
    assert figure.axes[0].get_ylabel() == "measured top-1 in %"


def test_each_machine_has_its_panel():
    figure = tradeoff.latency(by_machine(join(grid())))
    assert figure is not None
    assert [axes.get_title() for axes in figure.axes] == ["Intel Xeon @ 2.50GHz", "pi4"]
    # One thread there, one and four here.
    assert [len(axes.lines) for axes in figure.axes] == [1, 2]


def test_without_any_measured_the_published_figures_are_drawn_and_marked():
    figure = tradeoff.latency(by_machine(join(grid(scored=False))))
    assert figure is not None
    assert figure.axes[0].get_ylabel() == "published top-1 in % (not measured)"


def test_predictions_are_hollow():
    figure = tradeoff.latency(by_machine(join([prediction(OWN, 2.0), profile(identity(SPECS[0]), 1.0)])))
    assert figure is not None
    legend = {text.get_text() for text in figure.axes[0].get_legend().get_texts()}
    assert {"int8 tflite", "int8 tflite, predicted"} <= legend
