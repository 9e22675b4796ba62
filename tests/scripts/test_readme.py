"""The generated parts of the documentation."""

from __future__ import annotations

import re
import runpy
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "readme.py"
RECORDS = (
    *("record", "profile", "evaluation", "classification", "export", "inspection", "prediction", "failure", "training"),
    *(f"{group} codes" for group in ("doubts", "notes", "contradictions", "pictures", "training", "calibration")),
)


@pytest.fixture
def script(tmp_path, monkeypatch):
    """The script's `main`, on a README of its own and with a help text that starts no process."""
    loaded = runpy.run_path(str(SCRIPT))
    main = loaded["main"]
    readme, start = tmp_path / "README.md", tmp_path / "getting-started.md"
    for page, region in ((readme, "help"), (start, "variants")):
        page.write_text(f"# x\n\n<!-- {region} -->\n<!-- /{region} -->\nend\n")
    records = tmp_path / "records.md"
    records.write_text("".join(f"<!-- {region} -->\n<!-- /{region} -->\n" for region in RECORDS))
    monkeypatch.setitem(main.__globals__, "README", readme)
    monkeypatch.setitem(main.__globals__, "RECORDS", records)
    monkeypatch.setitem(main.__globals__, "START", start)
    monkeypatch.setitem(main.__globals__, "API", tmp_path / "api.md")
    monkeypatch.setitem(main.__globals__, "help_text", lambda: "Usage: mnet")

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["readme.py", *arguments])
        return main(), readme.read_text() + start.read_text()

    return run


def test_regions_are_filled_and_the_rest_stays(script):
    code, text = script()
    assert code == 0
    assert "<!-- help -->\n```text\nUsage: mnet\n```\n<!-- /help -->" in text
    # Exact MACs of the first published variant, Table 4 of arXiv:1704.04861: 569 million.
    assert "| mobilenet_v1-a1.00-r224 | 568.7 M |" in text
    assert text.startswith("# x\n")
    assert text.endswith("\nend\n")


def test_second_run_changes_nothing(script):
    _, first = script()
    _, second = script()
    assert second == first


def test_check_tells_stale_from_fresh_and_writes_nothing(script, capsys):
    code, text = script("--check")
    assert code == 1
    assert "Usage" not in text
    assert "run: make format" in capsys.readouterr().err
    script()
    code, _ = script("--check")
    assert code == 0


def test_the_api_page_has_every_public_name(script, tmp_path):
    import mobilenet_edge

    script()
    page = (tmp_path / "api.md").read_text()
    assert all(f"## `{name}`" in page for name in set(mobilenet_edge.__all__) - {"__version__"})


def test_fields_of_records_have_their_json_types(script, tmp_path):
    script()
    page = (tmp_path / "records.md").read_text()
    assert "- `size_bytes` (int): Size of the file.\n" in page
    assert "- `interval` (array of 2 floats or null): " in page
    assert "- `invalid` (remark or null): " in page
    assert "- `p95_ms` (derived): 95th percentile; null below 20 runs.\n" in page
    # A dataclass within a record is a list within the list.
    assert re.search(r"^- `confusions` \(array of objects\): .*\n(  .*\n)?  - `truth` \(string\): ", page, re.MULTILINE)
    assert page.count("`artifact` (string)") == 2  # of every record with an artifact, and of a training
    assert "`few-runs` (`runs`, `least`), " in " ".join(page.split())  # lines are wrapped between any two words


def test_field_without_a_description_is_refused():
    fields = runpy.run_path(str(SCRIPT))["_fields"]

    @dataclass
    class Bare:
        """Record.

        Attributes:
            a: Described.
        """

        a: int
        b: int

    with pytest.raises(KeyError, match="b"):
        list(fields(Bare))


@pytest.mark.parametrize("text", ["", "<!-- a --><!-- /a --><!-- a --><!-- /a -->", "<!-- a -->"])
def test_region_must_be_there_once(text):
    fill = runpy.run_path(str(SCRIPT))["fill"]
    with pytest.raises(ValueError, match="exactly once"):
        fill(text, "a", "x")


def test_content_is_taken_literally():
    fill = runpy.run_path(str(SCRIPT))["fill"]
    assert fill("<!-- a --><!-- /a -->", "a", r"\1 \g<0>") == "<!-- a -->\n\\1 \\g<0>\n<!-- /a -->"


@pytest.mark.slow
def test_real_help_is_plain_text():
    shown = runpy.run_path(str(SCRIPT))["help_text"]()
    assert re.findall(r"^check +\S", shown, re.MULTILINE)
    assert "\x1b" not in shown
    assert all(len(line) <= 100 for line in shown.splitlines())
