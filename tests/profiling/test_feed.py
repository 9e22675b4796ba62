from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.metadata import Metadata, Quantisation, Weights
from mobilenet_edge.formats.onnx import write as onnx
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.profiling import feed

RULE = Preprocess((8, 8), crop=1.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve pictures of one colour each, and one file that is none."""
    pil = pytest.importorskip("PIL.Image")
    place = tmp_path / "images" / "things"
    place.mkdir(parents=True)
    for level in range(12):
        pil.new("RGB", (20, 16), (level * 20,) * 3).save(place / f"{level:02}.png")
    (place / "zz.png").write_text("no picture")
    return tmp_path / "images"


@pytest.fixture
def models(tmp_path: Path) -> list[artifact.Artifact]:
    """The same network of 8 x 8 pixels in both formats: rows of pixels in TFLite, planes in ONNX."""
    random = np.random.default_rng(0)
    weight, bias = (np.asarray(random.normal(size=shape), np.float32) for shape in ((1, 1, 3, 4), (4,)))
    nodes = (Node("conv", "conv", ("image",), (8, 8, 4), weight, bias), Node("pool", "mean", ("conv",), (4,)))
    graph = Graph("tiny", "image", (8, 8, 3), nodes)
    about = Metadata("tiny", "float32", 4, graph.macs, graph.parameters, RULE, Weights("random", 0))
    for kind, data in {"tflite": tflite.float_tflite(graph), "onnx": onnx.float_onnx(graph)}.items():
        artifact.write(tmp_path / f"m.{kind}", data, about)
    return [artifact.read(tmp_path / f"m.{kind}") for kind in ("tflite", "onnx")]


def test_images_are_prepared_for_each_layout(folder: Path, models: list[artifact.Artifact]):
    with feed.prepare(models, folder) as feeds:
        rows, planes = (np.load(feeds[each.path].path) for each in models)
        assert feeds[models[0].path].conditions()["preprocess"]["size"] in ((8, 8), [8, 8])
        assert all(each.preprocess_ms > 0 for each in feeds.values())
        made = [each.path for each in feeds.values()]
    # Eight of thirteen files, each (count, batch, …) and as the one rule makes it; the damaged one is passed over.
    assert rows.shape[1:] == (1, 8, 8, 3)
    assert planes.shape == (len(rows), 1, 3, 8, 8)
    assert rows.dtype == planes.dtype == np.float32
    np.testing.assert_array_equal(rows.transpose(0, 1, 4, 2, 3), planes)
    chosen = images.spread(images.find(folder), feed.MAX_IMAGES)
    expected = [image for _, image in prepare.tensors(chosen, RULE) if image is not None]
    np.testing.assert_array_equal(rows[:, 0], expected)
    assert not any(path.exists() for path in made)


def test_like_inputs_share_a_file(folder: Path, models: list[artifact.Artifact], tmp_path: Path):
    (tmp_path / "copy.tflite").write_bytes(models[0].data)
    copy = artifact.read(tmp_path / "copy.tflite")
    with feed.prepare([*models, copy], folder) as feeds:
        assert feeds[copy.path] == feeds[models[0].path]
        assert len({each.path for each in feeds.values()}) == 2


def test_an_integer_input_gets_integers(folder: Path, models: list[artifact.Artifact]):
    from mobilenet_edge.evaluation.tensors import ImageInput

    taken = ImageInput("m", (1, 8, 8, 3), "int8").with_grid(Quantisation(0.01, 0))
    made = feed._preprocess(images.find(folder)[:2], RULE, taken, folder / "made.npy")
    stack = np.load(made.path)
    # Black is -1, which is 100 steps of 0.01; a grey of 20 is 20 / 127.5 - 1 = -0.843.
    assert stack.dtype == np.int8
    assert {*np.unique(stack)} == {-100, -84}


def test_a_foreign_file_is_fed_by_what_is_usual(folder: Path, models: list[artifact.Artifact]):
    from dataclasses import replace

    with feed.prepare([replace(models[0], metadata=None)], folder) as feeds:
        (only,) = feeds.values()
    assert only.rule == Preprocess((8, 8))
    assert only.assumed[0].startswith("preprocessing (assumed: RGB, centre crop 0.875")


def test_several_inputs_are_refused(folder: Path, models: list[artifact.Artifact]):
    from dataclasses import replace

    two = replace(models[0], contents=replace(models[0].contents, inputs=("a", "b")))
    with (
        pytest.raises(InputError, match="takes 2 inputs, not one image"),
        feed.prepare([two], folder),
    ):
        pass


def test_no_images_are_refused(models: list[artifact.Artifact], tmp_path: Path):
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="holds no images"), feed.prepare(models, tmp_path / "none"):
        pass
