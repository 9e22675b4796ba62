from __future__ import annotations

from dataclasses import replace

from mobilenet_edge.records import Failure
from mobilenet_edge.report import profiles
from mobilenet_edge.report.heading import heading

OP = {"index": 0, "name": "conv1", "kind": "CONV_2D", "ms": 0.5, "macs": None, "bytes": None, "gmacs_per_s": None}
MINUTE = {"minute": 1, "runs": 600, "median_ms": 2.0, "p90_ms": None}


def test_the_table_comes_first_and_single_artifacts_after_it(profile):
    plain, cut = profile(), replace(profile(precision="int8"), ops=(OP,), trace=(MINUTE,))
    parts = [line for line in profiles.text([plain, cut]).splitlines() if line.startswith("###")]
    assert [part.rpartition(": ")[2] for part in parts[1:]] == ["operators", "minute by minute"]
    assert "Cortex-A72" in parts[0]


def test_a_failure_is_in_the_table_and_nowhere_else(profile):
    failed = Failure(
        variant="mobilenet_v1-a0.50-r160",
        format="onnx",
        precision="int8",
        artifact="m.onnx",
        host="local",
        stage="profile",
        reason="no such runtime",
        exit_code=4,
    )
    text = profiles.text([profile(), failed])
    assert "no such runtime" in text
    assert text.count("###") <= 2


def test_the_heading_says_what_and_where(profile):
    found = heading(profile(threads=2, host={"name": "pi\x1b4"}))
    assert found == "mobilenet_v1-a0.50-r160 tflite float32, 2 threads, pi 4"


ENERGY = {
    "source": "board rails", "how": "volts times amperes", "mj": 2.5, "interval_mj": [2.25, 2.75], "idle_w": 3.0,
    "busy_w": 4.5, "pairs": 5, "seconds": 2.0, "runs": 900,
}  # fmt: skip


def test_energy_has_a_column_where_it_was_measured_and_says_of_what(profile):
    plain, measured = profile(), replace(profile(precision="int8"), energy=ENERGY)
    assert "mJ" not in profiles.text([plain])
    text = profiles.text([plain, measured])
    titles, _, *rows = [line.split("|") for line in text.splitlines() if line.startswith("|")]
    column = [cell.strip() for cell in titles].index("mJ")
    assert sorted(row[column].strip() for row in rows) == ["-", "2.50 ±0.25 (board rails)"]
    assert (
        "energy of the board rails: 2.50 ±0.25 mJ per inference above idle (4.50 W while it runs, 3.00 W before); volts"
        in text
    )
