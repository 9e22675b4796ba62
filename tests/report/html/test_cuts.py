"""Curves of mixed precision on the page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from mobilenet_edge.records import Export
from mobilenet_edge.report.html import cuts, document
from tests.report.html.grid import HOSTILE, exported

EXPORTS = [record for record in exported() if isinstance(record, Export)]


def drawn(page: str) -> list[dict[str, Any]]:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    found: list[dict[str, Any]] = json.loads(text)["cuts"]
    return found


def test_a_chart_for_each_mixed_file_and_a_point_for_each_cut_that_was_tried() -> None:
    tflite, onnx = cuts.data(EXPORTS)
    assert (tflite["label"], onnx["label"]) == ("a0.25-r128 mixed tflite", "a0.25-r128 mixed onnx")
    assert [point["name"] for point in onnx["points"]] == ["int8", "conv_1", "conv_2", "conv_3", "conv_4", "conv_5"]
    assert [point["ratio"] for point in onnx["points"]] == [1, 0.97, 0.94, 0.91, 0.88, 0.85]
    assert [point["agreement"] for point in tflite["points"]] == [93, 94, 95, 96, 97, 98]
    assert [point["name"] for point in onnx["points"] if point["chosen"]] == ["conv_3"]
    assert onnx["points"][1]["lines"] == [
        "1 layer in float, 5% of the MACs",
        "agreement 94.0%, SNR 26.5 dB",
        "0.97 ms by estimate, 0.97 times int8",
    ]
    assert (onnx["float32"], onnx["wanted"]) == (1.5, 96)
    assert "3 layers in float, 0.91 times the latency of int8" in onnx["facts"]
    assert "1 cut was not tried" in onnx["facts"]


def test_the_last_record_of_a_file_counts() -> None:
    again = replace(EXPORTS[0], division=None)
    assert cuts.select([*EXPORTS, again]) == [again, *EXPORTS[1:]]


def test_the_page_has_a_figure_for_each_and_none_without_any() -> None:
    page = document.html([], [], exports=EXPORTS)
    assert page.count('class="chart" role="img" aria-labelledby="cuts-title-') == len(drawn(page)) == 2
    assert "cuts-section" not in document.html([], [], exports=EXPORTS[1:2])


def test_names_that_mean_harm_are_text() -> None:
    division = EXPORTS[0].division
    assert division is not None
    curve = (division.cuts[0], replace(division.cuts[1], name=HOSTILE))
    nasty = replace(EXPORTS[0], division=replace(division, cut=HOSTILE, cuts=curve, host={"cpu": HOSTILE}))
    page = document.html([], [], exports=[nasty])
    assert "<img" not in page
    assert "&lt;img src=x" in page.split("cuts-section")[1]
    assert drawn(page)[0]["points"][1]["name"].startswith("<img src=x")
