"""What alpha and rho save: shares that can be checked by hand."""

from __future__ import annotations

import json

import pytest

from mobilenet_edge.records import Remark
from mobilenet_edge.report import scaling
from mobilenet_edge.report.rows import join


@pytest.fixture
def measured(profile):
    """Times of variants; all else is alike unless it is said."""

    def make(times, **changes):
        return [profile(ms, variant=f"mobilenet_v1-{name}", **changes) for name, ms in times.items()]

    return make


GRID = {"a1.00-r224": 8.0, "a0.50-r224": 3.2, "a0.50-r128": 1.6, "a1.00-r128": 4.0}


def test_shares_are_of_the_widest_and_of_the_largest(measured):
    (found,) = scaling.scalings(join(measured(GRID)))
    assert [(point.alpha, point.resolution) for point in found.points] == [(1, 224), (1, 128), (0.5, 224), (0.5, 128)]
    # 3.2 of 8 ms and 1.6 of 4 ms; 1.6 of 3.2 ms and 4 of 8 ms.
    assert found.over_alpha == {224: [(0.5, 0.4), (1.0, 1.0)], 128: [(0.5, 0.4), (1.0, 1.0)]}
    assert found.over_rho == {1.0: [(128, 0.5), (224, 1.0)], 0.5: [(128, 0.5), (224, 1.0)]}
    assert [found.predicted(point) for point in found.points] == pytest.approx([1, (4 / 7) ** 2, 0.25, 4 / 49])


def test_the_table_has_prediction_macs_and_time(measured):
    text = scaling.text(scaling.scalings(join(measured(GRID))))
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    assert rows[0] == ["alpha", "rho", "predicted", "MACs", "of MACs", "median ms", "of ms", "of ms / predicted"]
    # Table 6 of the paper: 569 million of the largest, 149 of alpha 0.5.
    assert rows[2] == ["1", "224", "1.000", "568.7 M", "1.000", "8.00", "1.000", "-"]
    assert rows[4] == ["0.5", "224", "0.250", "149.5 M", "0.263", "3.20", "0.400", "1.60"]
    assert text.startswith("### float32 tflite, litert 2.3.0, 1 thread: Cortex-A72")
    assert text.endswith(scaling.NOTE)


def test_only_what_is_alike_is_compared(measured):
    records = [
        *measured({"a1.00-r224": 8.0, "a0.50-r224": 4.0}),
        *measured({"a1.00-r224": 2.0, "a0.50-r224": 1.0}, precision="int8"),
        *measured({"a1.00-r224": 5.0, "a0.50-r224": 3.0}, threads=2),
        # Nothing to compare them with: one variant, another runtime, neither alpha nor rho in common, and no latency.
        *measured({"a0.25-r224": 1.0}, version="2.4.0"),
        *measured({"a0.75-r192": 1.0, "a0.25-r128": 0.5}, format="onnx"),
    ]
    found = scaling.scalings(join(records))
    assert [(each.title, len(each.points)) for each in found] == [
        ("float32 tflite, litert 2.3.0, 1 thread", 2), ("float32 tflite, litert 2.3.0, 2 threads", 2),
        ("int8 tflite, litert 2.3.0, 1 thread", 2),
    ]  # fmt: skip
    assert all(each.over_rho == {} for each in found)


def test_doubts_are_counted(measured):
    assert "doubts" not in scaling.text(scaling.scalings(join(measured(GRID))))
    records = [*measured(GRID), *measured({"a0.25-r224": 1.0}, doubts=(Remark("swapping"),))]
    assert "\n\n1 of 5 latencies have doubts, which mnet table names.\n\n" in scaling.text(
        scaling.scalings(join(records))
    )


def test_families_and_heads_are_told_apart(measured):
    records = [
        *measured({"a1.00-r224": 8.0, "a0.50-r224": 4.0}),
        *measured({"a1.00-r224-c5": 8.0, "a0.50-r224-c5": 4.0}),
    ]
    titles = [each.title for each in scaling.scalings(join(records))]
    assert titles == ["float32 tflite, litert 2.3.0, 1 thread", "float32 tflite, 5 classes, litert 2.3.0, 1 thread"]


def test_a_foreign_file_and_a_prediction_are_passed_over(profile, prediction):
    records = [profile(variant="mine"), prediction(variant="mobilenet_v1-a1.00-r224"), profile()]
    assert scaling.scalings(join(records)) == []


def test_json_has_the_same_values(measured):
    (table,) = json.loads(scaling.json(scaling.scalings(join(measured(GRID)))))
    assert table["title"] == "float32 tflite, litert 2.3.0, 1 thread"
    assert table["rows"][2] == {
        "alpha": 0.5, "resolution_px": 224, "predicted": 0.25, "macs": pytest.approx(149e6, rel=5e-3),
        "of_macs": pytest.approx(0.2628, abs=1e-4), "median_ms": 3.2, "of_ms": 0.4, "doubted": False,
    }  # fmt: skip
