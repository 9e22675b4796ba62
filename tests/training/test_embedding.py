"""Features of pictures: what they are, and when they are computed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge import files
from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.dataset import Picture
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.graph.run import run
from mobilenet_edge.training import embedding
from mobilenet_edge.training.crops import CENTRE, View
from mobilenet_edge.training.embedding import Body

RULE = Preprocess((32, 32))


@pytest.fixture
def frozen(tmp_path: Path) -> Body:
    generator = np.random.default_rng(0)
    kernel = generator.uniform(-1, 1, (3, 3, 3, 5)).astype(np.float32)
    conv = Node("conv", "conv", ("image",), (32, 32, 5), kernel, np.ones(5, np.float32), 1, ((1, 1), (1, 1)), "relu")
    mean = Node("features", "mean", ("conv",), (5,))
    return Body(Graph("body", "image", (32, 32, 3), (conv, mean)), RULE, tmp_path / "cache")


@pytest.fixture
def pictures(tmp_path: Path) -> list[Picture]:
    generator = np.random.default_rng(1)
    for number in range(3):
        pixels = generator.integers(0, 256, (40, 50, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    paths = [tmp_path / name for name in ("0.png", "1.png", "broken.png", "2.png")]
    return [Picture(path, 0, hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths]


def views(_: Picture) -> Iterator[View]:
    return iter([CENTRE, View(mirrored=True)])


def test_features_are_those_of_the_graph(frozen, pictures):
    values, readable, unreadable = frozen.features(pictures, views)
    assert readable == [picture for picture in pictures if picture.path.name != "broken.png"]
    assert [path.name for path in unreadable] == ["broken.png"]
    inputs = [prepare.prepare(images.decode(picture.path), RULE) for picture in readable]
    assert values.shape == (3, 2, 5)
    assert values[:, 0].std(axis=0).max() > 0
    for view, tensors in enumerate((np.stack(inputs), np.stack(inputs)[:, :, ::-1])):
        np.testing.assert_allclose(values[:, view], run(frozen.graph, tensors), rtol=1e-3, atol=1e-4)


def test_kept_features_serve_until_what_they_depend_on_changes(frozen, pictures, monkeypatch):
    first, *_ = frozen.features(pictures, views)
    decode, names = images.decode, []
    monkeypatch.setattr(images, "decode", lambda path: names.append(path.name) or decode(path))
    again, *_ = frozen.features(pictures, views)
    assert np.array_equal(first, again)
    assert names == ["broken.png"]
    other = Body(frozen.graph, Preprocess((32, 32), fit="stretch"), frozen.cache)
    assert not np.array_equal(first, other.features(pictures, views)[0])
    assert len(names) == 5


def test_features_that_would_fill_the_memory_are_in_a_file(frozen, pictures, monkeypatch):
    expected, *_ = frozen.features(pictures, views)
    monkeypatch.setattr(embedding, "MEMORY_BYTES", 0)
    values, readable, unreadable = frozen.features(pictures, views)
    assert isinstance(values, np.memmap)
    assert np.array_equal(values, expected)
    assert (len(readable), len(unreadable)) == (3, 1)


def test_no_picture_that_can_be_read(frozen, pictures):
    with pytest.raises(InputError, match=r"none of 1 pictures can be read; the first: .*broken\.png"):
        frozen.features(pictures[2:3], views)


def test_full_disk_is_no_unreadable_picture(frozen, pictures, monkeypatch):
    def fail(path: Path, data: bytes) -> None:
        raise InputError(f"cannot write {path}: no space left on device; choose another place")

    monkeypatch.setattr(files, "write_bytes", fail)
    with pytest.raises(InputError, match="no space left on device"):
        frozen.features(pictures, views)
