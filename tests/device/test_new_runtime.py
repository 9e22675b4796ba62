"""A runtime is one file and one row: a copy of the package is given one more, and everything knows it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import mobilenet_edge

PACKAGE = Path(mobilenet_edge.__file__).parent
# Answers every input with itself, and is "installed" wherever Python is.
ADAPTER = """
from pathlib import Path

from mobilenet_edge.device.faults import InvalidModel
from mobilenet_edge.device.runtimes import TensorInfo


class Echo:
    delegate = None

    def __init__(self, runtime):
        runtime.load()
        self.runtime, self.version = runtime.name, runtime.version()
        self.inputs = self.outputs = (TensorInfo("x", (1, 2, 2, 3), "float32"),)

    def feed(self, inputs):
        self.values = list(inputs)

    def invoke(self):
        pass

    def run(self, inputs):
        return list(inputs)


def open_session(runtime, path, threads, delegate=None):
    if not Path(path).read_bytes():
        raise InvalidModel(f"{path} is empty")
    return Echo(runtime)
"""
# Its package is the standard library's, its distribution one that is installed where tests run.
ROW = """
        Runtime("made-up", "Made-up", "onnx", "json", "pytest", "echo", (Wheel("made-up", {machine!r: None}, (3, 9)),)),
"""
END = "\n    )\n}  # fmt: skip"


@pytest.fixture(scope="module")
def mnet(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run a copy of the package that has the additional row, as a Python program or as `mnet`."""
    home = tmp_path_factory.mktemp("copy")
    copy = home / PACKAGE.name
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    table = copy / "device/runtimes/__init__.py"
    before, end, after = table.read_text().partition(END)
    assert end
    table.write_text(before + ROW.rstrip().replace("machine!r", repr(os.uname().machine)) + end + after)
    (copy / "device/runtimes/echo.py").write_text(ADAPTER)

    def run(*words: str, module: str | None = "mobilenet_edge") -> str:
        line = [sys.executable, *(["-m", module] if module else ["-c"]), *words]
        environment = {**os.environ, "PYTHONPATH": str(home), "COLUMNS": "200"}
        done = subprocess.run(line, capture_output=True, text=True, env=environment, cwd=home)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["profile", "evaluate"])
def test_it_is_a_choice(mnet: Callable[..., str], verb: str):
    assert re.search(r"[|]\s*made-up\b", mnet(verb, "--help"))


@pytest.mark.slow
def test_doctor_tries_it(mnet: Callable[..., str]):
    (report,) = json.loads(mnet("doctor", "--json", "-"))
    found = report["facts"]["runtimes"]["made-up"]
    assert (found["installed"], found["error"], found["requirement"]) == (True, None, "made-up")
    assert "made-up" in [finding["name"] for finding in report["findings"]]


@pytest.mark.slow
def test_it_is_an_ingredient_of_a_sweep(mnet: Callable[..., str]):
    # Another version of it makes profiles stale.
    code = "from mobilenet_edge.sweep import fingerprint; print(fingerprint.facts('local')['versions']['pytest'])"
    assert mnet(code, module=None).strip() == pytest.__version__


@pytest.mark.slow
def test_it_runs_files(mnet: Callable[..., str], make_onnx: Callable[..., Path]):
    text = mnet(
        "profile", str(make_onnx((1, 2, 2, 3))), "--runtime", "made-up", "--runs", "2", "--seconds", "0", "--no-limit"
    )
    assert "made-up" in text
