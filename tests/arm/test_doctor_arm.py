"""What the doctor finds on the emulated Pi 4: each runtime is tried in an ARM process of its own."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import pytest

from mobilenet_edge.analysis import health
from mobilenet_edge.hosts import payload

pytestmark = [pytest.mark.slow, pytest.mark.arm]


def look(pi: Any, python: str) -> health.Report:
    """The report on the Pi with one of its Pythons; the worker reaches the Pi's own /tmp through stdin."""
    script = f'cat > /tmp/worker.pyz; echo \'{{"mode": "doctor"}}\' | {python} /tmp/worker.pyz'
    began = time.time_ns()
    done = subprocess.run(pi.inside("sh", "-c", script), input=payload.pack(), capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    return health.judge(json.loads(done.stdout), host="pi4", local_ns=(began, time.time_ns()))


def test_a_pi_with_one_runtime(whole: Any):
    report = look(whole, "/usr/local/legacy/bin/python")
    found = {each.name: each for each in report.findings}
    assert report.exit_code == 0
    assert (found["tflite-runtime"].status, found["tflite-runtime"].fact) == ("ok", "2.14.0")
    assert found["litert"].fact == "not installed; tflite-runtime opens .tflite files"
    assert found["onnxruntime"].status == "warn"
    assert found["cpu"].fact == "emulated by qemu-aarch64: latency is not real"
    # A Cortex-A72 has no SDOT, and scripts/arm_root.py lays out 0x50000: bits 16 and 18, both since boot.
    assert found["int8"].status == "warn"
    assert found["throttling"].fact == "not now, but since boot: under-voltage, throttled"
    assert found["clock"].status == "ok"


def test_a_pi_with_nothing(whole: Any):
    report = look(whole, "/usr/bin/python3")
    assert report.exit_code == 4
    assert report.facts is not None
    assert report.facts["system"] == "aarch64, Python 3.11 and glibc 2.36"
    # The wheels are those of the Pi, not of the machine that plays it; Debian's minimal Python can make no environment.
    assert report.facts["runtimes"]["litert"]["requirement"] == "'ai-edge-litert>=2.1'"
    found = {each.name: each for each in report.findings}
    assert found["litert"].next == "on pi4: sudo apt install python3-venv; then mnet setup-host pi4"
