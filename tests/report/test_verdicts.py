"""A check for people and for machines."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mobilenet_edge.budget import budgets
from mobilenet_edge.budget.baseline import Baseline, loads
from mobilenet_edge.budget.ratchet import Change
from mobilenet_edge.budget.subject import Run, Subject
from mobilenet_edge.budget.verdict import judge
from mobilenet_edge.report.verdicts import Check, benchmark, github, junit, markdown, plain, prose
from mobilenet_edge.report.verdicts import json as json_format

FILE = """
[[budget]]
name = "files"
size = "1 MB"

[[budget]]
name = "Pi"
variant = "slow"
device = "pi4"
latency = "20 ms"

[[budget]]
name = "typo"
variant = "typ*"
size = "+2 %"
"""
OLD = Subject(
    "old/big.tflite", "big", "tflite", "int8", size_bytes=900_000, bytes={"weights": 800_000, "graph": 100_000}
)
BIG = Subject("big.tflite", "big", "tflite", "int8", size_bytes=1_200_000, bytes={"weights": 800_000, "graph": 400_000})
SLOW = Subject(
    "slow.tflite",
    "slow",
    "tflite",
    "int8",
    "arm64",
    5000,
    runs=(Run("local", 2, 1.5, 7), Run("x", 1, 1.0, None, "hot")),
)


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Check subjects against FILE or another, and a baseline that has OLD."""
    monkeypatch.chdir(tmp_path)

    def make(*subjects: Subject, file: str = FILE, **changes) -> Check:
        Path("budgets.toml").write_text(file)
        loaded = budgets.load(Path("budgets.toml"))
        before = Baseline("base.json", (OLD,))
        return Check(loaded, subjects, tuple(judge(loaded, subjects, before)), before, **changes)

    return make


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def test_the_table_begins_with_what_needs_attention(check):
    assert rows(prose.table(check(SLOW, BIG))) == [
        ["FAILED", "big.tflite", "size", "1.20 MB", "1 MB", "+33.33 %", "200 000 B over"],
        ["MISSING", "budget: typo", "match", "-", "-", "-",
         "it matches none of 2 artifacts: check its patterns, and that the files exist"],
        ["not applicable", "slow.tflite", "latency", "-", "20 ms", "-",
         "measured on local, x, and the budget is for pi4"],
        ["passed", "slow.tflite", "size", "5.00 kB", "1 MB", "-", ""],
    ]  # fmt: skip


def test_a_relative_limit_says_what_it_comes_to(check):
    found = check(BIG, file='[[budget]]\nsize = "+2 %"\n[[budget]]\nsize = "900 KiB"')
    # 900000 * 1.02, and 1200000 / 1024 = 1171.875 KiB = 1.14 MiB
    assert [row[3:6] for row in rows(prose.table(found))] == [
        ["1.20 MB", "+2 % = 918.0 kB", "+33.33 %"],
        ["1.14 MiB", "900 KiB", "+33.33 %"],
    ]


def test_text_says_where_the_bytes_went(check):
    shown = plain.dump(
        check(SLOW, BIG, notes=("a note",), free=("free.onnx",), changes=(Change(0, "b", "size", "2", "1"),))
    )
    _, _, after = shown.partition("Bytes by part of big.tflite\n\n")
    assert rows(after.partition("\n\n")[0]) == [
        ["weights", "800.0 kB", "66.7%", "+0 B"],
        ["graph", "400.0 kB", "33.3%", "+300 000 B"],
    ]
    assert "Tightened size of b: 2 to 1.\nNo budget matches free.onnx.\na note\n" in shown
    assert shown.endswith(
        "1 failed, 1 missing, 1 not applicable, 1 passed: 2 artifacts, budgets.toml, against base.json"
    )


def test_a_part_that_is_gone_is_shown(check):
    big = Subject("big.tflite", "big", "tflite", "int8", size_bytes=1_200_000, bytes={"weights": 1_200_000})
    assert "| graph   |     0 B |   0.0% | -100 000 B |" in plain.dump(check(big))


def test_few_tables_of_bytes_are_shown(check):
    many = [
        Subject(f"{n}.tflite", str(n), "tflite", "int8", size_bytes=2_000_000, bytes={"weights": 2_000_000})
        for n in range(prose.MAX_TABLES + 5)
    ]
    assert plain.dump(check(*many)).count("Bytes by part of") == prose.MAX_TABLES


def test_markdown_folds_and_keeps_names_from_being_html(check):
    hostile = Subject(
        "<img src=x>|.tflite", "v\x1b[31m", "tflite", "int8", size_bytes=2_000_000, bytes={"<b>": 2_000_000}
    )
    shown = markdown.dump(check(hostile))
    assert shown.startswith("### mnet check: failed\n\n")
    assert not re.search(r"(?<!\\)<(?!/?(details|summary)>)", shown)
    assert "\\<img src=x>\\|.tflite" in shown
    assert "\\<b>" in shown
    assert "\x1b" not in shown
    assert shown.count("<details>") == shown.count("</details>") == 1


def test_json_holds_everything(check):
    document = json.loads(json_format.dump(check(SLOW, BIG, free=("free.onnx",))))
    assert (document["kind"], document["schema_version"], document["passed"]) == ("check", 1, False)
    assert document["count"] == {"failed": 1, "missing": 1, "not-applicable": 1, "passed": 1}
    failed = next(each for each in document["verdicts"] if each["outcome"] == "failed")
    assert failed == {
        "budget": "files", "line": 4, "outcome": "failed", "artifact": "big.tflite", "metric": "size", "unit": "B",
        "written": "1 MB", "limit": 1_000_000, "actual": 1_200_000, "baseline": 900_000, "change": pytest.approx(1 / 3),
        "reason": "200 000 B over",
        "where": [
            {"part": "weights", "bytes": 800_000, "change": 0}, {"part": "graph", "bytes": 400_000, "change": 300_000},
        ],
    }  # fmt: skip
    typo = next(each for each in document["verdicts"] if each["budget"] == "typo")
    assert (typo["line"], typo["artifact"], typo["metric"]) == (12, None, None)
    assert document["without_budget"] == ["free.onnx"]


def test_json_is_a_baseline(check):
    again = loads(json_format.dump(check(SLOW, BIG)).encode(), "check.json")
    assert again.find(BIG) == BIG
    assert again.find(SLOW) == SLOW


# junit-10.xsd of the xUnit plugin of Jenkins: elements, the attributes each may have (needed: *), and its children.
SCHEMA = {
    "testsuites": ({"name", "time", "tests", "failures", "disabled", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name*", "tests*", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package",
         "file", "log", "url", "version"},
        {"testcase", "properties", "system-out", "system-err"},
    ),
    "testcase": (
        {"name*", "time", "classname", "group", "assertions", "status"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": ({"type", "message"}, set()),
    "skipped": ({"type", "message"}, set()),
}  # fmt: skip


def by_schema(element: ElementTree.Element) -> None:
    attributes, children = SCHEMA[element.tag]
    assert set(element.keys()) <= {each.rstrip("*") for each in attributes}
    assert {each.rstrip("*") for each in attributes if each.endswith("*")} <= set(element.keys())
    for each in element:
        assert each.tag in children
        by_schema(each)


def test_junit_keeps_to_its_schema(check):
    root = ElementTree.fromstring(junit.dump(check(SLOW, BIG)))
    by_schema(root)
    assert dict(root.items()) == {"name": "mnet check", "time": "0", "tests": "4", "failures": "2", "errors": "0"}
    cases = [
        (suite.get("name"), case.get("classname"), [each.tag for each in case]) for suite in root for case in suite
    ]
    assert cases == [
        ("files", "slow.tflite", []),
        ("files", "big.tflite", ["failure"]),
        ("Pi", "slow.tflite", ["skipped"]),
        ("typo", "budget: typo", ["failure"]),
    ]
    failure = root.find("./testsuite/testcase/failure")
    assert failure.get("message") == "1.20 MB, limit 1 MB: 200 000 B over"
    assert (failure.get("type"), failure.text) == ("failed", "budgets.toml:4")


def test_junit_takes_any_name(check):
    hostile = Subject("a\x00\x1b<&\"'\ud7ff.tflite", "v", "tflite", "int8", size_bytes=2_000_000)
    root = ElementTree.fromstring(junit.dump(check(hostile)))
    assert root.find("./testsuite/testcase").get("classname").startswith("a <&\"'")


def test_github_annotates_the_line_of_the_budget(check):
    assert github.dump(check(SLOW, BIG)).splitlines() == [
        "::error file=budgets.toml,line=4,title=size of big.tflite%3A failed::"
        "1.20 MB, limit 1 MB: 200 000 B over (change: +33.33 %25)",
        "::notice file=budgets.toml,line=10,title=latency of slow.tflite%3A not-applicable::"
        "-, limit 20 ms: measured on local, x, and the budget is for pi4",
        "::error file=budgets.toml,line=12,title=match of budget%3A typo%3A missing::"
        "-, limit -: it matches none of 2 artifacts: check its patterns, and that the files exist",
        "1 failed, 1 missing, 1 not applicable, 1 passed: 2 artifacts, budgets.toml, against base.json",
    ]


def test_a_name_cannot_command_github(check):
    hostile = Subject("a,b:c%0A\n::set-output name=x::y\r.tflite", "v", "tflite", "int8", size_bytes=2_000_000)
    shown = github.dump(check(hostile)).splitlines()
    assert shown[0].startswith(
        "::error file=budgets.toml,line=4,"
        "title=size of a%2Cb%3Ac%250A%0A%3A%3Aset-output name=x%3A%3Ay%0D.tflite%3A failed::"
    )
    assert not [line for line in shown if line.startswith("::set-output")]


def test_benchmark_is_what_github_action_benchmark_reads(check):
    # customSmallerIsBetter: an array of name, unit and value; extra is free text. Unusable profiles are left out.
    assert json.loads(benchmark.dump(check(SLOW))) == [
        {"name": "slow tflite int8 arm64: size", "unit": "B", "value": 5000, "extra": "slow.tflite"},
        {
            "name": "slow tflite int8 arm64: latency on local, 2 threads",
            "unit": "ms", "value": 1.5, "extra": "slow.tflite",
        },
        {"name": "slow tflite int8 arm64: memory on local, 2 threads", "unit": "B", "value": 7, "extra": "slow.tflite"},
    ]  # fmt: skip


def test_nothing_ends_with_a_line_break(check):
    found = check(SLOW, BIG)
    for each in (plain, markdown, json_format, junit, github, benchmark):
        assert not each.dump(found).endswith("\n")
