from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import mobilenet_edge
from mobilenet_edge.device import checkup, delegate, memory
from mobilenet_edge.device.runtimes import RUNTIMES

PACKAGE = Path(mobilenet_edge.__file__).parents[1]
ILLEGAL = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Put a package of this text before the real one of the same name."""

    def write(name: str, text: str) -> Path:
        folder = tmp_path / "site" / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        return tmp_path / "site"

    return write


def ask(python: str | Path, *path: Path) -> dict[str, Any]:
    """The worker's document, where Python looks into `path` first."""
    done = subprocess.run(
        [str(python), "-m", "mobilenet_edge.device"],
        input='{"mode": "doctor"}\n',
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(each) for each in (*path, PACKAGE))},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.slow
def test_this_machine():
    began = time.time_ns()
    found = ask(sys.executable)
    assert began < found["clock_ns"] < time.time_ns()
    assert found["python"] == list(sys.version_info[:3])
    assert found["executable"] == sys.executable
    assert list(found["runtimes"]) == list(RUNTIMES)  # the order in which "auto" asks
    assert f"Python {sys.version_info[0]}.{sys.version_info[1]}" in found["system"]
    assert found["host"]["numpy"] == found["numpy"]["version"]
    litert = found["runtimes"]["litert"]
    assert (litert["installed"], litert["error"], litert["format"]) == (True, None, "tflite")
    assert litert["version"][0].isdigit()
    assert 0 < found["memory_available_bytes"] < found["host"]["memory_bytes"]
    assert found["disk_free_bytes"] > 0


@pytest.mark.slow
def test_a_python_with_nothing_installed(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    found = ask(tmp_path / "bare/bin/python")
    absent = {"installed": False, "version": None, "error": None}
    assert found["numpy"] == absent
    assert "numpy" not in found["host"]
    assert all(absent.items() <= each.items() for each in found["runtimes"].values())
    assert found["pip"] is False
    assert found["managed"] is False


@pytest.mark.slow
def test_a_numpy_that_crashes_does_not_end_the_doctor(installed):
    found = ask(sys.executable, installed("numpy", ILLEGAL))
    assert "illegal instruction" in found["numpy"]["error"]
    assert "numpy" not in found["host"]
    # Nor do the runtimes, which import it.
    assert "illegal instruction" in found["runtimes"]["onnxruntime"]["error"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "error"),
    [
        (ILLEGAL, "it crashes when it is loaded (signal 4, illegal instruction)"),
        ("raise ImportError('libgomp.so.1: cannot open')", "libgomp.so.1: cannot open"),
        ("raise AttributeError('_ARRAY_API not found')", "AttributeError: _ARRAY_API not found"),
        ("raise SystemExit(3)", "it ended with exit code 3"),
    ],
)
def test_a_runtime_that_does_not_load(installed, text, error):
    installed("onnxruntime", text)
    found = checkup.try_import("onnxruntime")
    assert (found["installed"], found["version"]) == (True, None)
    assert found["error"] == error


@pytest.mark.slow
def test_a_runtime_that_loads_and_opens_nothing(installed):
    # As tflite-runtime beside a NumPy that it was not built for; this one has a version and no InferenceSession.
    installed("onnxruntime", "__version__ = '9.9'\nprint('chatter')\n")
    found = checkup.try_import("onnxruntime")
    assert "AttributeError" in found["error"]


@pytest.mark.slow
def test_a_runtime_that_hangs_is_ended():
    found = checkup.try_import("onnxruntime", "import os, signal; os.kill(os.getpid(), signal.SIGALRM)")
    assert found["error"] == "it did not load within 60 s"


@pytest.mark.slow
def test_execution_providers_are_those_of_the_build():
    import onnxruntime

    there = set(onnxruntime.get_available_providers()) - {"CPUExecutionProvider"}
    assert set(checkup.try_import("onnxruntime")["providers"]) == there
    assert "providers" not in checkup.try_import("litert")


@pytest.mark.slow
def test_the_current_folder_is_not_searched(tmp_path, monkeypatch):
    (tmp_path / "onnxruntime.py").write_text(ILLEGAL)
    monkeypatch.chdir(tmp_path)
    assert checkup.try_import("onnxruntime")["error"] is None


def test_where_no_process_can_be_started(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert checkup.try_import("numpy")["error"] == "its test could not be started: No such file or directory"


def test_libedgetpu_is_found_once(tmp_path):
    folder = tmp_path / "usr/lib/aarch64-linux-gnu"
    folder.mkdir(parents=True)
    (folder / "libedgetpu.so.1.0").touch()
    (folder / "libedgetpu.so.1").symlink_to("libedgetpu.so.1.0")
    (folder / "libedgetpu.so").symlink_to("gone")
    assert delegate.find(tmp_path) == [str(folder / "libedgetpu.so.1")]
    assert delegate.find(tmp_path / "usr/lib") == []


@pytest.mark.parametrize(
    ("bus", "names", "values", "found"),
    [
        ("usb", ("idVendor", "idProduct"), ("1a6e", "089a"), ["usb"]),
        ("usb", ("idVendor", "idProduct"), ("18d1", "9302"), ["usb"]),
        ("usb", ("idVendor", "idProduct"), ("18d1", "089a"), []),
        ("pci", ("vendor", "device"), ("0x1ac1", "0x089a"), ["pci"]),
    ],
)
def test_edge_tpu_is_seen(tmp_path, bus, names, values, found):
    (tmp_path / "sys/bus" / bus / "devices/hub").mkdir(parents=True)  # tells nothing of itself
    device = tmp_path / "sys/bus" / bus / "devices/1-1"
    device.mkdir()
    for name, value in zip(names, values, strict=True):
        (device / name).write_text(value + "\n")
    assert checkup.edge_tpus(tmp_path) == found


def test_memory_available(tmp_path):
    assert memory.available_bytes(tmp_path) is None
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal:  949448 kB\nMemAvailable:  612000 kB\n")
    assert memory.available_bytes(tmp_path) == 612_000 * 1024


def test_a_device_on_which_everything_hangs_is_told_in_time():
    tried = 1 + len(RUNTIMES)  # and numpy
    assert tried * checkup.TRY_SECONDS < checkup.LIMIT_SECONDS
