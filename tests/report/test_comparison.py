"""A comparison reads the same as text, as Markdown and as JSON."""

import json as json_module
from dataclasses import replace

import pytest

from mobilenet_edge.analysis.difference import compare
from mobilenet_edge.records import Remark
from mobilenet_edge.report import comparison


@pytest.fixture
def slower(profile):
    return compare([steady(profile(2.0))], [steady(profile(2.5))])


def steady(profile):
    return replace(profile, times_ns=profile.times_ns * 6, round_sizes=(30, 30))


def test_text(slower):
    assert comparison.text(slower).split("\n") == [
        "mobilenet_v1-a0.50-r160 float32 tflite, threads: 1: "
        "2.00 ±0.00 -> 2.50 ±0.00 ms, x1.250 (1.250 to 1.250), slower",
        "",
        "Ratio: median after over median before; below 1 is faster.",
    ]


def test_markdown(slower):
    heading, table, notes = comparison.markdown(slower).split("\n\n")
    assert heading == "### Cortex-A72, 4 cores, aarch64, Debian 12"
    cells = [cell.strip() for cell in table.split("\n")[2].strip("|").split("|")]
    assert cells == [
        "mobilenet_v1-a0.50-r160", "tflite", "float32", "1", "2.00 ±0.00", "2.50 ±0.00", "1.250", "1.250 to 1.250",
        "slower",
    ]  # fmt: skip
    assert notes.startswith("- Ratio: ")


def test_json(slower):
    document = json_module.loads(comparison.json(slower))
    (pair,) = document["pairs"]
    assert pair["verdict"] == "slower"
    assert pair["ratio"] == 1.25
    assert pair["before"]["median_ms"] == 2.0
    assert pair["after"]["runs"] == 60
    assert (document["unlike"], document["only_before"], document["only_after"]) == ([], [], [])


def test_what_cannot_be_told_is_explained(profile):
    found = compare([profile(2.0)], [profile(2.5)])
    assert "x1.250 (1.250 to 1.250), no clear difference" in comparison.text(found)
    assert "~: the 95 % interval of the ratio contains 1, there are fewer than 20 runs, or" in comparison.text(found)


def test_differences_are_named(profile):
    found = compare([profile(2.0)], [profile(2.5, host={"cpu": "other"})], anyway=True)
    for form in (comparison.text, comparison.markdown, comparison.json):
        assert "CPU: Cortex-A72 against other" in form(found)
    assert "### Cortex-A72, 4 cores, aarch64, Debian 12 against other" in comparison.markdown(found)


def test_what_is_in_one_alone_is_named(profile):
    found = compare([profile(), profile(precision="int8")], [profile(), profile(precision="float16")])
    text = comparison.text(found)
    assert "Measured only before: mobilenet_v1-a0.50-r160 int8 tflite." in text
    assert "Measured only after: mobilenet_v1-a0.50-r160 float16 tflite." in text
    assert json_module.loads(comparison.json(found))["only_after"][0]["precision"] == "float16"


def test_doubts_and_single_processes_are_mentioned(profile):
    single = replace(steady(profile(2.0, doubts=(Remark("swapping"),))), round_sizes=(60,))
    text = comparison.text(compare([single], [steady(profile(2.5))]))
    assert "1 of 1 profiles before have doubts" in text
    assert "Measured in a single process" in text


def test_names_cannot_reach_the_terminal(profile):
    bad = profile(variant="a\x1b[31m\nb")
    for form in (comparison.text, comparison.markdown):
        assert "\x1b" not in form(compare([bad], [bad]))
