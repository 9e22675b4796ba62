"""A predicted latency is marked wherever it is shown, and gives way to a measured one."""

import csv
import json

from mobilenet_edge.report import summary
from mobilenet_edge.report.rows import join

SMALL, LARGE = "mobilenet_v1-a0.25-r128", "mobilenet_v1-a1.00-r224"


def test_it_is_marked_in_the_table_with_its_interval(profile, prediction):
    text = summary.markdown(join([profile(), prediction(3.0, variant=SMALL)]))
    # 3.0 give or take a tenth
    assert "≈ 3.00 (2.70 to 3.30) predicted |" in text
    assert "- ≈: predicted from 6 models measured here" in text
    assert "median leave-one-out error 3 %" in text
    assert text.count("### ") == 1


def test_nothing_is_said_where_nothing_is_predicted(profile):
    text = summary.markdown(join([profile()]))
    assert "≈" not in text
    assert "predicted" not in text


def test_it_has_columns_of_its_own(profile, prediction):
    rows = join([profile(), prediction(3.0, variant=SMALL)])
    measured, predicted = csv.DictReader(summary.csv(rows).splitlines())
    assert (predicted["median_ms"], predicted["runs"]) == ("", "")
    assert [float(predicted[f"predicted_{name}"]) for name in ("low_ms", "ms", "high_ms")] == [
        2.7,
        3.0,
        3.3000000000000003,
    ]
    assert (predicted["runtime"], predicted["threads"]) == ("litert", "1")
    assert (measured["median_ms"], measured["predicted_ms"]) == ("2.0", "")
    (group,) = json.loads(summary.json(rows))["tables"]
    assert [each["predicted_ms"] for each in group["rows"]] == [None, 3.0]


def test_a_profile_takes_its_place(profile, prediction):
    (row,) = join([prediction(3.0), profile(2.0)])
    assert (row.prediction, row.latency) == (None, profile(2.0))
    rows = join([prediction(3.0), profile(2.0, threads=2), profile(2.0, host={"cpu": "A76"})])
    assert sum(row.prediction is not None for row in rows) == 1
    assert len(rows) == 3


def test_the_last_of_several_counts_and_the_accuracy_is_shared(prediction, evaluation):
    (row,) = join([prediction(3.0), evaluation(0.6), prediction(4.0)])
    assert row.prediction.predicted_ms == 4.0
    assert row.evaluation.top1 == 0.6


def test_a_failure_elsewhere_leaves_it(prediction, failure):
    rows = join([prediction(3.0), failure(host="pi4")])
    assert [(row.prediction is None, len(row.failures)) for row in rows] == [(False, 0), (True, 1)]


def test_it_is_weighed_for_the_pareto_mark_and_this_is_said(profile, prediction):
    rows = join(
        [
            profile(2.0, variant=LARGE),
            prediction(3.0, variant=SMALL),
            prediction(1.0, variant="mobilenet_v1-a0.50-r160"),
        ]
    )
    # Large is more accurate than both, and one of them is slower than it.
    assert {row.record.variant[13:]: row.pareto for row in rows} == {
        "a1.00-r224": True,
        "a0.50-r160": True,
        "a0.25-r128": False,
    }
    assert "is at least as good in median latency (measured or predicted) and published top-1" in summary.markdown(rows)


def test_a_table_of_nothing_else(prediction):
    rows = join([prediction(3.0)])
    assert rows[0].latency is None
    assert "≈ 3.00 (2.70 to 3.30) predicted" in summary.markdown(rows)
    assert json.loads(summary.json(rows))["tables"][0]["runtimes"] == []
