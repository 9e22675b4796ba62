"""Pictures as they are sent to a device."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge.data import prepare
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.metadata import Metadata, Weights
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.profiling.pack import MAX_PICTURES, pack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Fifty pictures of one colour each, among them a file that is none and names that are no text."""
    place = tmp_path / "images"
    place.mkdir()
    for level in range(50):
        Image.new("RGB", (20, 16), (level * 5,) * 3).save(place / f"{level:02}.png")
    (place / "00.png").write_text("no picture")
    os.rename(place / "05.png", os.fsencode(place) + b"/05\xff.png")  # noqa: PTH104 - no text
    os.utime(place / "10.png", (0, 0))  # before the first date of a zip file
    return place


def model(place: Path, rule: Preprocess) -> artifact.Artifact:
    weight, bias = np.ones((1, 1, 3, 4), np.float32), np.zeros(4, np.float32)
    nodes = (Node("conv", "conv", ("image",), (8, 8, 4), weight, bias), Node("pool", "mean", ("conv",), (4,)))
    graph = Graph("tiny", "image", (8, 8, 3), nodes)
    about = Metadata("tiny", "float32", 4, graph.macs, graph.parameters, rule, Weights("random", 0))
    artifact.write(place, tflite.float_tflite(graph), about)
    return artifact.read(place)


def test_twenty_pictures_are_packed_as_they_are(folder: Path, tmp_path: Path):
    made = model(tmp_path / "m.tflite", rule := Preprocess((8, 8)))
    with pack([made], folder) as packs:
        (only,) = packs.values()
        pixels = np.load(only.pixels)
        with zipfile.ZipFile(only.archive) as archive:
            data = {name: archive.read(name) for name in archive.namelist()}
        assert only.request()["preprocess"]["layout"] == {
            "channels_first": False, "dtype": "float32", "scale": None, "zero_point": None,
        }  # fmt: skip
        assert only.request()["preprocess"]["rule"]["size"] == (8, 8)
        place = only.archive
    # Of 50 pictures those at 0, 2, 5, 7, …; the first is damaged.
    assert only.count == len(data) == len(pixels) == MAX_PICTURES - 1
    assert [name.partition("-")[2][:2] for name in data][:4] == ["02", "05", "07", "10"]
    assert data["0-02.png"] == (folder / "02.png").read_bytes()
    np.testing.assert_array_equal(pixels[0], prepare.fit(Image.open(folder / "02.png"), rule))
    assert not place.exists()


def test_pixels_are_shared_by_artifacts_that_fit_pictures_alike(folder: Path, tmp_path: Path):
    same = Preprocess((8, 8))
    scaled = same.with_pixels((1.0,), (0.0,), "stated")
    rules = (same, scaled, Preprocess((8, 8), fit="stretch"))
    models = [model(tmp_path / f"{number}.tflite", rule) for number, rule in enumerate(rules)]
    with pack(models, folder) as packs:
        one, two, three = (packs[each.path] for each in models)
    assert one.archive == two.archive == three.archive
    assert one.pixels == two.pixels != three.pixels
    assert two.request()["preprocess"]["rule"]["scale"] == (1.0,) * 3


def test_no_pictures_are_refused(tmp_path: Path):
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="holds no images"), pack([], tmp_path / "none"):
        pass
