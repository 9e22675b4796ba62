"""The page holds everything and nothing in it is alive but its own scripts."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from mobilenet_edge.errors import MissingExtraError
from mobilenet_edge.report.html import document
from mobilenet_edge.report.html.timeline import Entry
from mobilenet_edge.report.rows import join
from tests.report.html.grid import SPECS, evaluation, grid, hostile, identity, profile
from tests.report.html.grid import history as lines


class Page(HTMLParser):
    """What a browser would make of the text: every tag with its attributes, the scripts, and the words."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] == "script" and self.cdata_elem == "script":
            self.scripts[-1] += data
        else:
            self.words.append(data)


def entries(count=3):
    known = set(Entry.__dataclass_fields__)
    return [Entry(**{name: value for name, value in line.items() if name in known}) for line in lines(count)]


@pytest.fixture(scope="module")
def text():
    return document.html(join(grid()), entries())


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


@pytest.fixture(scope="module")
def nasty():
    return document.html(join(hostile()), [])


def policy_of(page):
    (policy,) = [each["content"] for _, each in page.tags if each.get("http-equiv") == "Content-Security-Policy"]
    return policy


def data_of(page):
    (at,) = [
        index
        for index, (_, attributes) in enumerate(each for each in page.tags if each[0] == "script")
        if attributes.get("type") == "application/json"
    ]
    return json.loads(page.scripts[at])


def test_nothing_is_fetched(page):
    addresses = [
        value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href", "action")
    ]
    assert addresses == ["#table"]
    assert policy_of(page).startswith("default-src 'none';")


def test_the_policy_names_the_scripts_and_no_others(page):
    (sources,) = re.findall(r"script-src ([^;]+);", policy_of(page))
    allowed = {each.removeprefix("'sha256-").removesuffix("'") for each in sources.split()}
    runs = [
        script
        for (_, attributes), script in zip(
            [each for each in page.tags if each[0] == "script"], page.scripts, strict=True
        )
        if "type" not in attributes
    ]
    assert {base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in runs} == allowed
    assert len(runs) == 2


def test_every_row_is_in_the_table_and_in_the_data(page):
    rows = [each for tag, each in page.tags if tag == "tr" and "data-id" in each]
    assert [int(each["data-id"]) for each in rows] == list(range(24))
    assert len(data_of(page)["points"]) == 24
    assert len(data_of(page)["history"]["entries"]) == 6


def test_filters_offer_what_there_is(page):
    boxes = [(each["name"], each["value"]) for tag, each in page.tags if each.get("type") == "checkbox"]
    assert boxes == [
        ("device", "Intel Xeon @ 2.50GHz"),
        ("device", "pi4"),
        ("format", "onnx"),
        ("format", "tflite"),
        ("precision", "float32"),
        ("precision", "int8"),
        ("threads", "1"),
        ("threads", "4"),
    ]


def test_cells_are_sorted_by_their_numbers(page):
    cells = [each for tag, each in page.tags if tag in ("td", "th") and "data-key" in each]
    width = len(cells) // 24
    first = [each["data-key"] for each in cells[:width]]
    # The largest model comes first; its MACs are 568,740,352.
    assert "568740352" in first


def test_names_that_mean_harm_are_text(nasty):
    page = Page(nasty)
    tags = [tag for tag, _ in page.tags]
    assert "img" not in tags
    assert tags.count("script") == 3
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "<img src=x" in "".join(page.words)
    assert "\x1b" not in nasty
    data = nasty[nasty.index('<script type="application/json"') :].partition(">")[2].partition("</script>")[0]
    assert not set("<>&") & set(data)


def test_what_is_not_drawn_is_listed_with_its_reason(nasty):
    listed = nasty[nasty.index('<ul id="absent">') :].partition("</ul>")[0]
    assert listed.count("<li>") == 2
    assert "a0.50-r160 int8 tflite" in listed
    assert "export: &lt;img" in listed


def test_the_same_rows_make_the_same_page(text):
    assert document.html(join(grid()), entries()) == text


def test_a_history_alone_has_no_table():
    page = Page(document.html([], entries()))
    assert "table" not in [tag for tag, _ in page.tags]


def test_accuracy_alone_is_a_page():
    page = Page(document.html(join([evaluation(identity(SPECS[0]), 0.5)]), []))
    assert data_of(page)["points"][0]["device"] == "not profiled"


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(document, "find_spec", lambda name: None if name == "plotly" else object())
    with pytest.raises(MissingExtraError, match=r"plotly is not installed; .*mobilenet-edge\[report\]"):
        document.check_packages()


def test_times_that_are_no_numbers_of_json_cannot_get_in():
    broken = profile(identity(SPECS[0]), 1.0, preprocess_ms=1.0, ops=({"kind": "x", "ms": float("nan"), "macs": None},))
    with pytest.raises(ValueError, match="not JSON compliant"):
        document.html(join([broken]), [])
