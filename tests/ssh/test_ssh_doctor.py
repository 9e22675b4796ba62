"""The doctor over SSH: the worker's own tries of each runtime start on the device, and nothing is left there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mobilenet_edge.commands import doctor
from tests.ssh.server import Server

pytestmark = [pytest.mark.ssh, pytest.mark.slow]


def test_a_device_that_can_run_both_formats(server: Server, temporary: Path):
    (report,) = doctor.run([server.ssh(sys.executable)])
    assert report.failure is None
    assert report.exit_code == 0
    found = {each.name: each for each in report.findings}
    assert (found["litert"].status, found["onnxruntime"].status) == ("ok", "ok")
    # Its clock is ours, and what a workstation needs is not asked of a device.
    assert found["clock"].status == "ok"
    assert "[build]" not in found
    assert str(temporary) in found["disk"].fact
    assert [path for path in temporary.iterdir() if path.is_dir()] == []


def test_a_device_with_a_bare_python(server: Server, tmp_path: Path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    python = str(tmp_path / "bare/bin/python")
    (report,) = doctor.run([server.ssh(python)])
    assert report.exit_code == 4
    found = {each.name: each for each in report.findings}
    assert found["numpy"].status == "fail"
    assert found["litert"].next is not None
    assert python in found["litert"].next


def test_a_device_without_python(server: Server, tmp_path: Path):
    (report,) = doctor.run([server.ssh(str(tmp_path / "python"))])
    assert (report.exit_code, report.facts) == (6, None)
    assert report.failure
    assert "\n" not in report.failure
