"""The worker where a 32-bit or older Pi runs it: tflite-runtime, NumPy 1, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mobilenet_edge
from mobilenet_edge.errors import MnetError
from mobilenet_edge.hosts.local import Local

pytestmark = [pytest.mark.slow, pytest.mark.legacy]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """y = relu(x)."""
    from mobilenet_edge.formats.tflite.builder import ModelBuilder

    file = ModelBuilder()
    x, y = (file.tensor(name, (1, 8), "float32") for name in "xy")
    file.operator("RELU", [x], y)
    path = tmp_path / "tiny.tflite"
    path.write_bytes(file.finish([x], [y], "by hand"))
    return path


def refuse(python: str | Path, model: Path, **request: Any) -> str:
    with pytest.raises(MnetError) as caught:
        Local(python=str(python)).run({"mode": "time", **request}, {"artifact": model}, limit_seconds=300)
    return str(caught.value)


def test_a_model_is_timed(legacy_python: Path, tiny: Path):
    request = {"mode": "time", "steady": {"runs": 7}}
    document = Local(python=str(legacy_python)).run(request, {"artifact": tiny}, limit_seconds=300)
    assert (document["runtime"], document["runtime_version"]) == ("tflite-runtime", "2.14.0")
    assert document["host"]["numpy"].startswith("1.")
    assert len(document["times_ns"]) == 7
    assert document["delegate"] is None


def test_memory_is_weighed(legacy_python: Path, tiny: Path):
    document = Local(python=str(legacy_python)).run({"mode": "memory"}, {"artifact": tiny}, limit_seconds=300)
    assert document["peak_rss_bytes"] >= document["baseline_rss_bytes"] > 1e6


def test_a_runtime_that_is_missing_is_named(legacy_python: Path, tiny: Path, make_onnx: Callable[..., Path]):
    assert refuse(legacy_python, make_onnx()).startswith("onnxruntime is not installed")
    assert refuse(legacy_python, tiny, runtime="litert").startswith("LiteRT is not installed")


def test_numpy_2_is_explained(legacy_python: Path, tiny: Path, tmp_path: Path):
    """This Python's NumPy 2 with the real tflite-runtime: what plain `pip install tflite-runtime` gives."""
    numpy = pytest.importorskip("numpy")
    (package,) = legacy_python.parents[1].glob("lib/python*/site-packages/tflite_runtime")
    if numpy.__version__ < "2" or package.parents[1].name != f"python3.{sys.version_info[1]}":
        pytest.skip("this Python has no NumPy 2 or is not that of .venv-legacy")
    path = tmp_path / "packages"
    path.mkdir()
    (path / "tflite_runtime").symlink_to(package)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(path), str(Path(mobilenet_edge.__file__).parents[1])]),
    }
    code = (
        "import sys; from pathlib import Path; from mobilenet_edge.device import faults, runtimes\n"
        "try: runtimes.open_model(Path(sys.argv[1]), runtime='tflite-runtime')\n"
        "except faults.RuntimeBroken as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tiny], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == (
        f"tflite-runtime needs NumPy 1, and NumPy {numpy.__version__} is installed; run: pip install 'numpy<2'\n"
    )
    assert done.stderr == ""
