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
