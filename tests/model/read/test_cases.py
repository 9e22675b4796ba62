"""Files of Keras 2, and files of other people, against what Keras or their own float file computes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.graph.run import run
from mobilenet_edge.model.oracle import check_keras, load
from mobilenet_edge.model.read import read

pytestmark = [pytest.mark.slow, pytest.mark.data]

# A network of float32 layers errs by some 1e-7 a layer; Keras against float64 is off by up to 1.4e-5 of its output
# (cases/CASES.md), the graph by as much again. A wrong fold, padding or activation is off by 1e-2 and more.
TOLERANCE = 1e-4
LEGACY = ("keras2_flowers", "keras2_flowers_v2", "keras2_fd")
CURRENT = ("tf_tutorial", "normalization_layer", "edge_impulse", "batch_norm_head", "same_names", "v3_small_full")


@pytest.fixture(scope="module")
def cases(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    script = data.parent / "cases/models.py"
    if not script.exists():
        pytest.skip(f"no {script}, which makes these models")
    out = tmp_path_factory.mktemp("cases")
    done = subprocess.run([sys.executable, script, out, *LEGACY, *CURRENT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def pictures(shape: tuple[int, ...], low: float, high: float) -> Any:
    """Slopes of colours, which answers depend on more than on noise."""
    random = np.random.default_rng(4)
    rows, columns = (np.linspace(0, 1, side)[:, None, None] for side in shape[:2])
    slopes = random.normal(0, 4, (6, 3, shape[2]))
    drawn = [a * rows + b * columns.transpose(1, 0, 2) + c for a, b, c in slopes]
    return (low + (high - low) / (1 + np.exp(-np.array(drawn)))).astype(np.float32)


@pytest.mark.parametrize("name", CURRENT)
def test_current_files_equal_keras(name: str, cases: Path) -> None:
    model = read(cases / f"{name}.keras")
    low, high = (0, 255) if model.rule.scales else (-1, 1)
    assert check_keras(cases / f"{name}.keras", model, pictures(model.graph.input_shape, low, high)) < TOLERANCE


@pytest.mark.parametrize("name", LEGACY)
def test_legacy_files_equal_the_model_they_were_made_from(name: str, cases: Path) -> None:
    model = read(cases / f"{name}.h5")
    assert model.version == (2, 8)
    images = pictures(model.graph.input_shape, -1, 1)
    wanted = np.asarray(load(cases / f"{name}.ref.keras", (3, 0))(images, training=False))
    given = run(model.graph, images)
    np.testing.assert_allclose(given, wanted, rtol=0, atol=TOLERANCE * np.abs(wanted).max())


def test_a_published_file_of_keras_2_equals_its_published_float_file(data: Path) -> None:
    from PIL import Image

    from mobilenet_edge.device.runtimes import open_model

    model = read(data / "models/vww_96.h5")
    photos = sorted((data / "images").rglob("*.*"))[::40]
    images = np.stack(
        [np.asarray(Image.open(each).convert("RGB").resize((96, 96)), np.float32) / 255 for each in photos]
    )
    session = open_model(data / "models/vww_96_float.tflite")
    wanted = np.concatenate([session.run([image[None]])[0] for image in images])
    assert np.ptp(wanted, axis=0).max() > 0.1
    np.testing.assert_allclose(run(model.graph, images), wanted, rtol=0, atol=TOLERANCE)
