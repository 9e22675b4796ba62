"""The emulated Pi behind an SSH server: the road that a real one takes, from the first byte to the record."""

from __future__ import annotations

import csv
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge import cli, records
from mobilenet_edge.errors import HostError
from tests.ssh.server import ALIAS, Server, serve

pytestmark = [pytest.mark.slow, pytest.mark.arm, pytest.mark.ssh]

TIME = {"mode": "time", "warmup": {"runs": 1}, "steady": {"runs": 5}}
PYTHON = "/usr/local/{}/bin/python"
LIMIT = 120


@pytest.fixture(scope="module")
def server(whole: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose sessions are in the Pi."""
    folder = tmp_path_factory.mktemp("sshd")
    login = folder / "login"
    login.write_text(f'#!/bin/sh\nexec {shlex.join(whole.inside("sh", "-c"))} "$SSH_ORIGINAL_COMMAND"\n')
    login.chmod(0o755)
    with serve(folder, command=str(login)) as running:
        yield running


@pytest.fixture(autouse=True)
def without_the_users_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def test_one_session_runs_both_formats(server: Server, artifacts: dict[str, Path]):
    with server.ssh(PYTHON.format("current")) as host:
        for file, runtime in (("int8.tflite", "litert"), ("int8.onnx", "onnxruntime")):
            document = host.run(TIME, {"artifact": artifacts[file]}, limit_seconds=LIMIT)
            assert (document["runtime"], len(document["times_ns"])) == (runtime, 5)
            facts = {name: document["host"].get(name) for name in ("machine", "cpu", "emulated")}
            assert facts == {"machine": "aarch64", "cpu": "Cortex-A72", "emulated": "qemu-aarch64"}
            # Only where the kernel's own /proc is seen from inside.
            assert "memory_bytes" in document["host"]


def test_the_doctor_answers(server: Server):
    """Each runtime is tried in a child of the worker, which is ARM as well."""
    facts = server.ssh(PYTHON.format("current")).run({"mode": "doctor"}, limit_seconds=LIMIT)
    installed = {name: each["error"] for name, each in facts["runtimes"].items() if each["installed"]}
    assert installed == {"litert": None, "onnxruntime": None}
    assert facts["host"]["machine"] == "aarch64"


def test_a_bare_python_is_told_what_to_install(server: Server, artifacts: dict[str, Path]):
    # Without a name it is the system's python3, which has no numpy.
    with pytest.raises(HostError, match="/usr/bin/python3 has no numpy"):
        server.ssh().run(TIME, {"artifact": artifacts["int8.tflite"]}, limit_seconds=LIMIT)


def test_a_profile_says_that_it_is_emulated_and_no_table_uses_its_latency(
    server: Server,
    artifacts: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    server.command_on(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    devices, results = tmp_path / "devices.toml", tmp_path / "profile.json"
    devices.write_text(f'[pi4]\nhost = "{ALIAS}"\npython = "{PYTHON.format("current")}"\n')
    options = ["--rounds", "1", "--runs", "20", "--seconds", "0.1", "--no-limit", "--json", str(results)]
    assert finish("profile", str(artifacts["int8.tflite"]), "--host", "pi4", "--devices", str(devices), *options) == 0
    (profile,) = records.read(results)
    assert isinstance(profile, records.Profile)
    assert profile.host["name"] == "pi4"
    assert profile.host["emulated"] == "qemu-aarch64"
    assert len(profile.times_ns) == 20
    assert "emulated" in {doubt.code for doubt in profile.doubts}
    capsys.readouterr()
    assert finish("table", str(results), "--format", "csv") == 0
    (row,) = csv.DictReader(capsys.readouterr().out.splitlines())
    assert row["variant"] == profile.variant
    assert row["median_ms"] == ""


def finish(*arguments: str) -> object:
    """Run a command of ours, and return its exit code."""
    try:
        cli.main(list(arguments))
    except SystemExit as stop:
        return stop.code or 0
    return 0
