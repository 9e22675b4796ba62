"""Text from data reaches a terminal, a table, a spreadsheet and a page as text alone.

Every text of every kind of record is poisoned, so that a new field is tested as soon as there is one.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from mobilenet_edge import records
from mobilenet_edge.report.html import document
from mobilenet_edge.report.rows import join
from mobilenet_edge.text import printable, printable_lines
from tests.hostile.conftest import ALL, FILE, MARKDOWN, TERMINAL, assert_plain
from tests.report.html import grid

# Texts by which records are told apart or read again.
KEYS = frozenset(("kind", "format", "precision", "sha256", "stage", "started", "source", "family", "right"))


# Records are UTF-8, or refused.
POISON = ALL.replace("\udcff", "")


def poisoned(value: Any, key: str = "", poison: str = POISON) -> Any:
    """Put the poison behind every text."""
    if isinstance(value, dict):
        return {name: poisoned(each, name, poison) for name, each in value.items()}
    if isinstance(value, list):
        return [poisoned(each, key, poison) for each in value]
    return value + poison if isinstance(value, str) and key not in KEYS else value


def everything() -> list[dict[str, Any]]:
    own = grid.identity(grid.SPECS[1])
    # Every format, precision and machine of the first model.
    made = [
        *grid.grid()[:12],
        grid.long(own),
        grid.with_operators(own),
        grid.prediction(grid.identity(grid.SPECS[0]), 1.5),
        *grid.judged()[2:],
    ]
    whole: list[dict[str, Any]] = json.loads(records.dumps(made))
    for each in whole:
        if "doubts" in each:
            each["doubts"] = ["times vary by 3%", {"code": "throttled", "reasons": ["hot"]}]
            each["notes"] = ["a note", {"code": "newer", "of": "this"}]
        each["lacks"] = ["something"]
        if "unreadable" in each:
            each["unreadable"] = ["1.png"]
        if "weights" in each:
            each["calibration"] = {"source": "images", "count": 3, "sha256": "", "method": "m", "note": "n"}
    return whole


@pytest.fixture(scope="module")
def tame(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("tame") / "r.json"
    path.write_text(json.dumps(everything()))
    return path


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("bad") / "r.json"
    path.write_text(json.dumps(poisoned(everything())))
    return path


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No longer than what a picture has room for."""
    path: Path = tmp_path_factory.mktemp("tagged") / "r.json"
    path.write_text(json.dumps(poisoned(everything(), poison="<img src=x onerror=y>$x_{$")))
    return path


# --- the terminal ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "table R", "table R --format csv", "table R --format json", "compare R R", "compare R R --format markdown",
        "recommend R --device local", "recommend R", "recommend R --json -", "check R --budgets B",
        "check R --budgets B --format markdown", "check R --budgets B --format github", "inspect R", "profile R",
        "check R --budgets B --format junit", "check R --budgets B --format benchmark",
    ],
)  # fmt: skip
def test_no_verb_says_to_the_terminal_what_a_file_says(line, bad, mnet, tmp_path):
    budgets = tmp_path / "b.toml"
    budgets.write_text(f"[[budget]]\nname = {json.dumps(POISON)}\nsize = '1 kB'\n")
    words = [{"R": bad, "B": budgets}.get(word, word) for word in line.split()]
    ended = mnet(*words)
    assert ended.code in (0, 1, 2, 3)
    assert_plain(ended.out)
    assert_plain(ended.err)
    assert ended.out or ended.err


@pytest.mark.parametrize(
    "line",
    [
        "inspect F.tflite", "inspect F.onnx", "inspect F", "profile F.tflite", "table F.json", "compare F F",
        "sweep F.toml", "evaluate F.tflite --data F", "build --alpha 0.25 --rho 32 --weights F.h5", "report F",
        "profile m.tflite --host F", "doctor --host F@F", "doctor --devices F", "setup-host F@F", "F", "plan --F",
        "plan --alpha F", "plan --max-size F", "check --budgets F.toml", "check --baseline git:F", "check --only F",
        "profile m.tflite --delegate F --until F", "export F.keras --calibrate F", "recommend F --max-latency F",
        "sweep F.toml --dask F",
    ],
)  # fmt: skip
def test_what_was_given_is_shown_plainly_where_it_is_wrong(line, mnet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{FILE}.tflite").write_bytes(b"no model")
    (tmp_path / f"{FILE}.toml").write_text(f"{json.dumps(TERMINAL.replace(chr(0xDCFF), ''))} = 1")
    ended = mnet(*(word.replace("F", FILE) for word in line.split()))
    assert ended.code in (2, 3, 4, 6)
    assert_plain(ended.err)
    assert ended.err.startswith("mnet: ")
    assert ended.err.count("\n") == 1
    assert ended.out == ""


def test_a_models_own_names_are_shown_plainly(mnet, tmp_path):
    from dataclasses import replace

    from onnx import TensorProto, helper

    from mobilenet_edge.formats.metadata import KEY
    from tests.formats.conftest import ABOUT

    name = POISON
    shape = (1, 3, 8, 8)
    graph = helper.make_graph(
        [
            helper.make_node("Relu", [name], [f"{name}2"], name=name),
            helper.make_node(name, [f"{name}2"], ["y"], domain=name),
        ],
        name,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(name, 1)])
    label = "".join(name.splitlines())  # else it is refused
    about = replace(
        ABOUT,
        variant=name,
        labels=(f"{label}0", f"{label}1", f"{label}2"),
        scheme=name,
        target=name,
        tools={name: name},
    )
    helper.set_model_props(model, {KEY: about.to_json()})
    (tmp_path / f"{FILE}.onnx").write_bytes(model.SerializeToString())
    ended = mnet("inspect", tmp_path / f"{FILE}.onnx")
    assert ended.code == 0, ended.err
    assert "onload" in ended.out
    assert_plain(ended.out + ended.err)
    assert_plain(mnet("inspect", tmp_path / f"{FILE}.onnx", "--json", "-").out)


def test_progress_is_no_way_around():
    from mobilenet_edge import progress
    from mobilenet_edge.sweep import view

    for terminal in (True, False):
        told = io.StringIO()
        console = Console(file=told, force_terminal=terminal, width=500, no_color=True)
        with view.phase("build", 1, console) as done:
            done(f"{ALL}[bold]")
        if not terminal:
            lines = progress._LineBar(console, ALL, 2)
            lines.now(ALL, seconds=100)
            assert_plain(told.getvalue())
            assert "[bold]" in told.getvalue()
        assert "\x1b[31m" not in told.getvalue()
        assert "\x1b]0;" not in told.getvalue()


def test_all_output_goes_through_one_place():
    """Which `test_no_verb_says` tests; a verb that called Typer itself would go around it."""
    import ast

    import mobilenet_edge.cli

    calls = {}
    for source in Path(mobilenet_edge.cli.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ("echo", "secho", "print"):
                calls.setdefault(source.name, []).append(ast.unparse(node))
    assert calls == {"output.py": ["typer.echo", "console.print", "typer.echo"], "app.py": ["typer.echo"] * 3}


def test_what_is_printable_stays():
    text = "größer ±4 ≈ 3.10  µs 猫 🐈"
    assert printable_lines(f"{text}\n{text}") == f"{text}\n{text}"
    assert printable(f" {text}\n") == text.replace("  ", " ")


# --- Markdown -------------------------------------------------------------------------------------------------------


def tokens(text: str) -> Iterator[Any]:
    for block in MarkdownIt("commonmark").enable("table").parse(text):
        yield block
        yield from block.children or ()


@pytest.mark.parametrize("line", ["table R", "compare R R --format markdown", "check R --budgets B --format markdown"])
def test_markdown_has_no_tag_link_or_picture_of_a_file(line, bad, tame, mnet, tmp_path):
    budgets = tmp_path / "b.toml"
    budgets.write_text("[[budget]]\nname = '<b>[x](http://x)'\nsize = '1 kB'\n")

    def shown(path: Path) -> str:
        ended = mnet(*({"R": path, "B": budgets}.get(word, word) for word in line.split()))
        assert ended.code in (0, 1), ended.err
        return ended.out

    text = shown(bad)
    kinds = [each.type for each in tokens(text)]
    assert {"html_inline", "link_open", "image"}.isdisjoint(kinds)
    # The parts that unfold are tags of our own.
    assert kinds.count("html_block") == [each.type for each in tokens(shown(tame))].count("html_block")
    for table in re.findall(r"(?:^\|.*\n)+", f"{text}\n", re.MULTILINE):
        # A bar ends a cell, but for one behind a backslash that is none itself.
        assert len({len(re.findall(r"(?:\\.|[^|\\])*\|", row)) for row in table.splitlines()}) == 1
    assert "td_open" in kinds
    # The poison is poison.
    plain = [each.type for each in tokens(printable(f"<b>{MARKDOWN.replace('javascript:', 'http://')}"))]
    assert {"html_inline", "link_open", "image"} <= set(plain)


# --- spreadsheets ---------------------------------------------------------------------------------------------------

FORMULAS = ("=cmd|'/C calc'!A0", "+1+cmd", "-2+3", "@SUM(1)", "\t=1", "\r=1", "x;=1+1")


def test_csv_holds_no_formula(mnet, tmp_path):
    made = json.loads(records.dumps(grid.grid()))
    names = ("artifact", "variant", "data", "weights", "runtime", "runtime_version", "target")
    formulas = cycle(FORMULAS)
    for each in made:
        each.update({name: next(formulas) for name in names if name in each})
    (tmp_path / "r.json").write_text(json.dumps(made))
    ended = mnet("table", tmp_path / "r.json", "--format", "csv", "--out", tmp_path / "t.csv")
    assert ended.code == 0, ended.err
    rows = list(csv.reader(io.StringIO((tmp_path / "t.csv").read_text())))
    assert len((tmp_path / "t.csv").read_text().splitlines()) == len(rows)
    cells = [part.strip() for row in rows for cell in row for part in cell.split(";")]
    texts = [each for each in cells if not _is_number(each)]
    assert [each for each in texts if each.startswith(tuple("=+-@"))] == []
    # It is still there, for who looks for it.
    for formula in FORMULAS:
        assert any(formula.strip().rpartition(";")[2] in each for each in texts)


def test_a_negative_number_is_no_formula():
    from mobilenet_edge.report.summary import _plain

    assert [_plain(each) for each in (-1.5, -2, True, None, "a - b")] == [-1.5, -2, 1, None, "a - b"]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


# --- the page -------------------------------------------------------------------------------------------------------


class Skeleton(HTMLParser):
    """The elements of a page with the names of their attributes: what text cannot add to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *(name for name, _ in attributes)))


# A picture has no room for a legend of such names.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:constrained_layout not applied")
def test_the_page_has_the_elements_it_has_with_tame_names(tagged, tame, mnet, tmp_path):
    ended = mnet("report", tagged, "--out", tmp_path)
    assert ended.code == 0, ended.err
    page = (tmp_path / "report.html").read_text()
    assert "&lt;img src=x onerror=y&gt;" in page
    plain = document.html(join(records.read(tame)), [])
    assert set(Skeleton(page).found) == set(Skeleton(plain).found)
    pictures = list(tmp_path.glob("*.svg"))
    assert pictures
    assert [each.name for each in pictures if "<img" in each.read_text()] == []
