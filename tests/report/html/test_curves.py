"""Training runs on the page and as a chart."""

from __future__ import annotations

import json
import re

import pytest

from mobilenet_edge.records import Training
from mobilenet_edge.report.html import curves, document
from mobilenet_edge.report.html.pictures import pictures


def run(variant: str, accuracy: float = 0.75, epochs: int = 2) -> Training:
    points = [{"loss": 1 / (n + 1), "validation_loss": 2 / (n + 1), "validation_accuracy": 0.2 * n} for n in range(3)]
    return Training(
        variant=variant, artifact=f"{variant}.keras", spec={}, data="pets", classes=("a", "<b>"), split="ab" * 32,
        pictures={"train": 30, "validation": 10, "test": 20}, weights="imagenet", seed=3, accuracy=accuracy,
        head=tuple({"step": 10 * n, **point} for n, point in enumerate(points)),
        tuning=tuple({"epoch": n, **point} for n, point in enumerate(points)) if epochs else (),
        interval=(0.5, 0.9), scored="test", n=20, seconds={"features": 1.5, "head": 0.25}, versions={},
    )  # fmt: skip


RUNS = [run("mobilenet_v1-a0.25-r64-c2"), run("</script><b>", epochs=0)]


def test_last_run_of_a_file_counts():
    again = run(RUNS[0].variant, accuracy=0.5)
    assert curves.select([*RUNS, again]) == [again, RUNS[1]]


def test_page_has_the_curves_and_what_was_trained():
    page = document.html([], [], runs=RUNS)
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    first, second = json.loads(text)["training"]
    assert first["head"] == [[0, 2, 0], [10, 1, 20], [20, 0.6667, 40]]
    assert first["tuning"][1] == [1, 1, 20]
    assert second["tuning"] == []
    assert "<h3>a0.25-r64-c2</h3>" in page
    assert "accuracy 75.0% (50.0% to 90.0%) of 20 test pictures" in page
    assert "<b>" not in page.replace('"<b>', "").split("<h2>Training</h2>")[1].split("</section>")[0]


def test_page_without_runs_has_no_section():
    assert "training-section" not in document.html([], [])


@pytest.mark.slow
def test_chart_has_a_line_for_each_run_and_the_same_bytes_again():
    charts = dict(pictures([], [], RUNS))
    assert sorted(charts) == ["training.png", "training.svg"]
    assert b"a0.25-r64-c2" in charts["training.svg"]
    assert dict(pictures([], [], RUNS)) == charts
    assert len(dict(pictures([], [], [run(f"m{n}") for n in range(40)]))) == 2
