"""`mnet evaluate` on a device: what it answers, and what happens when it is lost."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge.errors import HostError, UsageError
from mobilenet_edge.evaluation import evaluate, process
from mobilenet_edge.formats import artifact
from mobilenet_edge.hosts.devices import Device
from mobilenet_edge.hosts.place import Place
from tests.evaluation.test_evaluate import colour_model
from tests.ssh.server import ALIAS, Server
from tests.ssh.test_ssh_device import left, running, wait_for

pytestmark = [pytest.mark.ssh, pytest.mark.slow]
PI = Place(Device("pi", ALIAS, sys.executable))


@pytest.fixture(autouse=True)
def ssh(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every process reach the device."""
    (tmp_path / "bin").mkdir()
    server.command_on(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)


@pytest.fixture
def flags(tmp_path: Path) -> Path:
    """Noisy pictures, of which the model has some right."""
    random = np.random.default_rng(3)
    for number in range(30):
        path = tmp_path / "flags" / ("red", "green", "blue")[number % 3] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (2, 3, 3), np.uint8)).resize((30, 20)).save(path)
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    return tmp_path / "flags"


@pytest.mark.parametrize("dtype", ["FLOAT", "INT8"])
def test_the_device_answers_as_this_machine(dtype: str, tmp_path: Path, flags: Path, temporary: Path):
    model = colour_model(tmp_path / "colours.onnx", dtype=dtype)
    (here,) = evaluate.evaluate([model], flags, jobs=1)
    (there,) = evaluate.evaluate([model], flags, place=PI)
    assert 0 < here.top1 < 1
    assert there.workstation == {"runtime": here.runtime, "runtime_version": here.runtime_version, "agreement": 1.0}
    assert replace(there, host="local", workstation=None) == here
    assert there.host == "pi"
    wait_for(lambda: not left(temporary) and not running(temporary))


def test_a_keras_file_is_refused(tmp_path: Path):
    (tmp_path / "m.keras").write_bytes(b"PK")
    model = replace(artifact.read(colour_model(tmp_path / "colours.onnx")), format="keras")
    with pytest.raises(UsageError, match="leave out --host"), process.start_at(PI, model, 1):
        pass


def answered(model: Path, lose: Callable[[], object]) -> str:
    """Lose a device between two batches, and return the message."""
    tensor = np.zeros((1, 8, 8, 3), np.float32)
    with process.start_at(PI, artifact.read(model), 1) as there:
        there.send(tensor, tensor)
        assert there.receive().shape == (2, 3)
        lose()
        there.send(tensor)
        with pytest.raises(HostError) as caught:
            there.receive()
    return str(caught.value)


def test_a_lost_connection_is_one_line(tmp_path: Path, server: Server, temporary: Path):
    model = colour_model(tmp_path / "colours.onnx")
    message = answered(model, lambda: [os.kill(pid, signal.SIGKILL) for pid in server.connections()])
    assert message.startswith("the connection to pi was lost during colours.onnx; ")
    wait_for(lambda: not left(temporary) and not running(temporary))


def test_a_crash_there_is_one_line(tmp_path: Path, temporary: Path):
    model = colour_model(tmp_path / "colours.onnx")
    message = answered(model, lambda: [os.kill(pid, signal.SIGSEGV) for pid in running(temporary)])
    assert message.startswith("the runtime crashed on colours.onnx on pi (signal 11, segmentation fault)")
    wait_for(lambda: not left(temporary))
