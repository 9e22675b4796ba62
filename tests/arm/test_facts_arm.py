"""What the worker tells of the emulated Pi 4, and that it measures there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge.hosts.local import Local

pytestmark = [pytest.mark.slow, pytest.mark.arm]

RUNS = 5
TIME = {"mode": "time", "warmup": {"runs": 1}, "steady": {"runs": RUNS}}
LIMIT = 120


@pytest.fixture(scope="module")
def document(pi: Any, artifacts: dict[str, Path]) -> dict[str, Any]:
    return Local("pi", pi.python("current")).run(TIME, {"artifact": artifacts["int8.tflite"]}, limit_seconds=LIMIT)


def test_facts_that_stay(document: dict[str, Any]):
    # As scripts/arm_root.py lays them out; no SDOT on a Cortex-A72.
    expected = {
        "board": "Raspberry Pi 4 Model B Rev 1.4",
        "cpu": "Cortex-A72",
        "machine": "aarch64",
        "isa": ["NEON"],
        "governor": "ondemand",
        "min_mhz": 600,
        "max_mhz": 1800,
        "glibc": "2.36",
        "os": "Debian GNU/Linux 12 (bookworm)",
        "emulated": "qemu-aarch64",
    }
    assert {name: document["host"].get(name) for name in expected} == expected
    assert document["host"]["python"].startswith("3.11.")


@pytest.mark.parametrize("when", ["before", "after"])
def test_facts_that_move(document: dict[str, Any], when: str):
    expected = {
        "mhz": [1500] * 4,
        "temperature_c": 48.686,
        # 0x50000: bits 16 and 18.
        "throttled": [],
        "throttled_since_boot": ["under-voltage", "throttled"],
    }
    assert {name: document[when].get(name) for name in expected} == expected


def test_the_worker_measures_in_litert(document: dict[str, Any]):
    assert (document["runtime"], len(document["times_ns"])) == ("litert", RUNS)


@pytest.mark.parametrize(
    ("environment", "file", "runtime"),
    [("current", "int8.onnx", "onnxruntime"), ("legacy", "int8.tflite", "tflite-runtime")],
)
def test_the_worker_measures_in_the_others(
    pi: Any, artifacts: dict[str, Path], environment: str, file: str, runtime: str
):
    document = Local("pi", pi.python(environment)).run(TIME, {"artifact": artifacts[file]}, limit_seconds=LIMIT)
    assert (document["runtime"], len(document["times_ns"])) == (runtime, RUNS)


def test_the_worker_reads_its_memory(pi: Any, artifacts: dict[str, Path]):
    request, files = {"mode": "memory"}, {"artifact": artifacts["int8.tflite"]}
    document = Local("pi", pi.python("legacy")).run(request, files, limit_seconds=LIMIT)
    assert document["peak_rss_bytes"] > document["baseline_rss_bytes"] > 0
