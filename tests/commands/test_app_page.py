"""The story that docs/app.md tells runs as it is written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge import cli

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[2] / "docs" / "app.md"
CLASSES = ("daisy", "dandelion", "rose", "sunflower", "tulip")


def mnet(*words):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 0, words


def test_the_story(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(CLASSES):
        Path("flowers", name).mkdir(parents=True)
        for number in range(3):
            pixels = np.random.default_rng(10 * seed + number).integers(0, 256, (40, 50, 3), np.uint8)
            Image.fromarray(pixels).save(f"flowers/{name}/{number}.png")
    # In the place of training, which has tests of its own.
    mnet("build", "--alpha", "0.5", "--rho", "160", "--classes", "5", "--out", "models")
    lines = re.findall(r"^    mnet (.+)$", PAGE.read_text(), re.MULTILINE)
    here = [line for line in lines if "--host" not in line]
    assert len(lines) - 1 == len(here) == 8
    for line in here:
        words = shlex.split(line)
        files = sorted(map(str, Path("models").glob("*.tflite")))
        mnet(*(word for part in words for word in (files if part == "models/*.tflite" else [part])))
    table = PAGE.read_text().partition("`app/` needs no mnet")[2].partition("On the device")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    promised = {file for cell in cells for file in re.findall(r"`([^`]+)`", cell)} - {"model.onnx"}
    assert {path.name + "/" * path.is_dir() for path in Path("app").iterdir()} == promised
    assert "| flowers " in Path("app/README.md").read_text()
    assert {"index.html", "test.html", "classify.js"} <= {path.name for path in Path("page").iterdir()}
    assert [path.name for path in Path("app-android").rglob("Classifier.kt")] == ["Classifier.kt"]
    assert np.load("handover/calibration_pixels.npy").shape == (15, 160, 160, 3)
    assert re.search("the models disagree|same first answer", capsys.readouterr().out)
