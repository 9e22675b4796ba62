"""What a device may lack or lose in the middle: the exit code is 6, the line says which, the other machines go on."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.faults import sweeps
from tests.faults.conftest import Mnet
from tests.faults.disk import mount
from tests.ssh.server import Server, children, serve

pytestmark = [pytest.mark.faults, pytest.mark.ssh, pytest.mark.slow]

WORDS = ["--runs", "2", "--seconds", "0", "--rounds", "2", "--no-limit"]
# ELF of a machine that nobody has, nor an emulator of.
FOREIGN = struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 2, 0x1234, 1, 0, 0, 0, 0, 64, 56, 0, 0, 0, 0)


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Name a server as "pi", run by a Python; return the options that `mnet profile` finds it by."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)

    def device(server: Server, python: str = sys.executable) -> list[str]:
        (tmp_path / "bin").mkdir()
        server.command_on(tmp_path / "bin")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
        (tmp_path / "devices.toml").write_text(f'[pi]\nhost = "device"\npython = "{python}"\n')
        return ["--host", "pi", "--devices", str(tmp_path / "devices.toml")]

    return device


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """For the server's own files."""
    (tmp_path / "sshd").mkdir()
    return tmp_path / "sshd"


def test_a_connection_that_is_dropped(
    model: Path, mnet: Mnet, device: Callable[..., list[str]], place: Path, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    there.mkdir()

    def drop() -> None:
        end = time.monotonic() + 300
        while not (at_work := [pid for pid in sweeps.running(there) if _runs(pid, there)]) and time.monotonic() < end:
            time.sleep(0.02)
        assert at_work
        for pid in server.connections():
            for each in (pid, *children(pid)):
                with suppress(OSError):
                    if "sshd" in Path(f"/proc/{each}/comm").read_text():
                        os.kill(each, signal.SIGKILL)

    with serve(place, environment={"TMPDIR": there}) as server:
        options = device(server)
        dropping = threading.Thread(target=drop)
        dropping.start()
        said = mnet("profile", model, "--sustain", "5m", "--no-limit", *options)
        dropping.join()
        assert said.code == 6
        assert "the connection to pi was lost during tiny.onnx; check its power and network" in said.line
        end = time.monotonic() + 300
        while list(there.iterdir()) and time.monotonic() < end:
            time.sleep(0.05)
        assert list(there.iterdir()) == []
    assert sweeps.await_end(there)


def _runs(pid: int, there: Path) -> bool:
    """Whether a process is a worker, given to a Python by the agent in the device's folder."""
    with suppress(OSError):
        return str(there).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def test_a_device_whose_disk_is_full(
    model: Path, mnet: Mnet, device: Callable[..., list[str]], place: Path, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    with mount(tmp_path / "there") as disk, serve(place, environment={"TMPDIR": disk.folder}) as server:
        disk.limit(1)
        said = mnet("profile", model, *WORDS, "--host", "local", *device(server), "--json", tmp_path / "a.json")
        assert disk.contents() == {}
    # This machine's profile is there all the same.
    assert said.code == 6
    here, there = json.loads((tmp_path / "a.json").read_text())
    assert (here["kind"], there["kind"], there["exit_code"]) == ("profile", "failure", 6)
    assert there["reason"].startswith("pi has no space left for the worker (")


def test_a_device_without_the_runtime(
    model: Path, mnet: Mnet, device: Callable[..., list[str]], place: Path, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    found = tmp_path / "numpy-alone"
    found.mkdir()
    for each in Path(np.__file__).parents[1].glob("numpy*"):
        (found / each.name).symlink_to(each)
    with serve(place, environment={"PYTHONPATH": found}) as server:
        said = mnet("profile", model, *WORDS, *device(server, str(tmp_path / "venv/bin/python")))
    assert said.code == 6
    assert "onnxruntime is not installed on pi; install it with: mnet setup-host pi" in said.line


def test_a_device_whose_python_is_of_another_architecture(
    model: Path, mnet: Mnet, device: Callable[..., list[str]], place: Path, tmp_path: Path
) -> None:
    program = tmp_path / "python"
    program.write_bytes(FOREIGN)
    program.chmod(0o755)
    with serve(place) as server:
        said = mnet("profile", model, *WORDS, *device(server, str(program)))
    assert said.code == 6
    assert said.line.startswith("mnet: pi ")


def test_a_device_whose_runtime_is_of_another_architecture(
    model: Path, mnet: Mnet, device: Callable[..., list[str]], place: Path, tmp_path: Path
) -> None:
    package = tmp_path / "found" / "onnxruntime"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from onnxruntime import native\n")
    (package / "native.so").write_bytes(FOREIGN + bytes(4096))
    with serve(place, environment={"PYTHONPATH": package.parent}) as server:
        said = mnet("profile", model, *WORDS, *device(server))
    assert said.code == 6
    assert "pi: onnxruntime is installed but cannot be loaded" in said.line
    assert "native.so" in said.line
