"""What tflite-runtime, the only choice of a 32-bit Pi, computes from our files is what LiteRT computes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import mobilenet_edge
from mobilenet_edge.device.runtimes import open_model
from mobilenet_edge.formats.tflite.write import dynamic_tflite, float16_tflite, float_tflite, int8_tflite
from mobilenet_edge.quantise import weights
from mobilenet_edge.quantise.weights import nearest

pytestmark = [pytest.mark.slow, pytest.mark.legacy]

# Runs every model of a folder on the images beside it. Python 3.9, numpy and a runtime are all it has.
RUN = """
import sys
from pathlib import Path
import numpy as np
from mobilenet_edge.device.runtimes import open_model
for model in sorted(Path(sys.argv[1]).glob("*.tflite")):
    session = open_model(model, runtime="tflite-runtime")
    images = np.load(model.with_suffix(".npy"))
    np.save(model.with_suffix(".out.npy"), np.stack([session.run([each[None]])[0][0] for each in images]))
"""


def run_there(python: Path, folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(mobilenet_edge.__file__).parents[1])}
    done = subprocess.run([python, "-c", RUN, folder], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def run_here(model: Path, images: np.ndarray) -> np.ndarray:
    session = open_model(model, runtime="litert")
    return np.stack([session.run([each[None]])[0][0] for each in images])


def test_every_precision_gives_what_litert_gives(graph, made, batch, legacy_python, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "FEW", 0)  # so that "dynamic" rounds layers of few weights too
    files = {
        "float32": (float_tflite(graph), batch),
        "float16": (float16_tflite(graph), batch),
        "dynamic": (dynamic_tflite(graph, nearest(graph)), batch),
        "int8": (int8_tflite(made), made.grids[graph.input].quantise(batch)),
        "uint8": (int8_tflite(made, "uint8"), (made.grids[graph.input].quantise(batch).astype(int) + 128).astype("u1")),
    }
    for name, (content, images) in files.items():
        (tmp_path / f"{name}.tflite").write_bytes(content)
        np.save(tmp_path / f"{name}.npy", images)
    run_there(legacy_python, tmp_path)
    for name, (_, images) in files.items():
        expected = run_here(tmp_path / f"{name}.tflite", images)
        found = np.load(tmp_path / f"{name}.out.npy")
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        if found.dtype == np.float32:
            # Sums of at most a few hundred products of size one, in another order.
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5, err_msg=name)
        else:
            difference = np.abs(found.astype(int) - expected)
            # Kernels that multiply in float32 and those that shift integers round a tie differently, and an early one
            # moves a few steps later on: up to 5 were seen of the 256 that the outputs spread over.
            assert difference.max() <= 8, name
            assert difference.mean() <= 1, name
