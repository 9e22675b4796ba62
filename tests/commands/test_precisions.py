"""`mnet export --precision float16` and `dynamic`, from a Keras model to files that say what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilenet_edge import cli, records
from mobilenet_edge.commands import inspect, table
from mobilenet_edge.conversion import creation, encode
from mobilenet_edge.conversion import pipeline as export
from mobilenet_edge.device.runtimes import open_model
from mobilenet_edge.errors import UsageError
from mobilenet_edge.evaluation import evaluate
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.profiling import latency
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.quantise import synthetic

pytestmark = pytest.mark.slow

SPEC = ModelSpec(0.25, 64, 10)
PRECISIONS = ("float16", "dynamic")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return creation.create(SPEC, out=tmp_path_factory.mktemp("model")).path


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from PIL import Image

    folder = tmp_path_factory.mktemp("photos")
    for index in range(10):
        (folder / f"class {index}").mkdir()
        pixels = np.clip((synthetic.images(1, (80, 72, 3), seed=index)[0] + 1) * 127.5, 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"class {index}" / "one.png")
    return folder


@pytest.fixture(scope="module")
def exported(model: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Artifact]:
    return export.run(model, precisions=("float32", *PRECISIONS), out=tmp_path_factory.mktemp("exported"))


def about(made: Artifact) -> Any:
    assert made.metadata is not None
    return made.metadata


def answers(made: Artifact, images: np.ndarray) -> np.ndarray:
    fed = images.transpose(0, 3, 1, 2) if made.format == "onnx" else images
    session = open_model(made.path, threads=1)
    return np.concatenate([session.run([np.ascontiguousarray(each[None])])[0] for each in fed])


def test_no_images_are_needed(exported: list[Artifact]) -> None:
    assert [(each.precision, each.format) for each in exported] == [
        (precision, kind) for precision in ("float32", *PRECISIONS) for kind in ("tflite", "onnx")
    ]


def test_files_say_how_they_were_made(exported: list[Artifact]) -> None:
    for made in exported:
        found = about(made)
        assert found.scheme == encode.SCHEMES[made.precision]
        assert (found.io, found.calibration, found.spec) == ("float32", None, SPEC)
        assert found.agreement is not None
        assert found.agreement.inputs == "noise"
    floors = {"float32": 100, "float16": 40, "dynamic": 15}
    assert all(about(made).agreement.snr_db > floors[made.precision] for made in exported)


def test_sizes(exported: list[Artifact]) -> None:
    sizes = {(made.precision, made.format): made.size_bytes for made in exported}
    weights = about(exported[0]).parameters
    for kind in ("tflite", "onnx"):
        # Two bytes a parameter saved but for the biases, and then one more but for the depthwise filters: at this size
        # 5 % and 10 % of all parameters.
        assert 1.8 * weights < sizes["float32", kind] - sizes["float16", kind] < 2 * weights
        assert 0.7 * weights < sizes["float16", kind] - sizes["dynamic", kind] < weights


def test_both_formats_hold_the_same_weights(exported: list[Artifact]) -> None:
    images = synthetic.images(4, (64, 64, 3), seed=5)
    for precision in PRECISIONS:
        first, second = (answers(made, images) for made in exported if made.precision == precision)
        # One model in two runtimes, both computing in float32.
        np.testing.assert_allclose(first, second, atol=1e-5)


def test_the_same_model_gives_the_same_bytes(exported: list[Artifact], model: Path, tmp_path: Path) -> None:
    again = export.run(model, precisions=PRECISIONS, out=tmp_path)
    assert [made.sha256 for made in again] == [made.sha256 for made in exported if made.precision in PRECISIONS]


def test_images_that_are_given_are_checked_on_and_not_fitted_to(model: Path, photos: Path, tmp_path: Path) -> None:
    made = export.run(model, precisions=("int8", *PRECISIONS), calibrate=str(photos), out=tmp_path)
    for each in made:
        assert (about(each).agreement.inputs, about(each).agreement.count) == ("images", 10)
        assert (about(each).calibration is None) == (each.precision != "int8")
    plain = export.run(model, formats=["onnx"], precisions=["dynamic"], out=tmp_path / "plain")
    images = synthetic.images(2, (64, 64, 3), seed=5)
    np.testing.assert_array_equal(answers(made[-1], images), answers(plain[0], images))


def test_the_edge_tpu_takes_neither(model: Path, tmp_path: Path) -> None:
    for precision in PRECISIONS:
        with pytest.raises(UsageError, match=f"--target edgetpu takes --precision int8, not {precision}"):
            export.run(model, precisions=[precision], target="edgetpu", out=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("io", ["int8", "uint8"])
def test_their_ends_are_float(io: str, model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"--io {io} is about int8 files, and only float16 and dynamic is asked for"):
        export.run(model, precisions=PRECISIONS, io=io, out=tmp_path)


def test_every_verb_takes_them(exported: list[Artifact], photos: Path, tmp_path: Path) -> None:
    paths = [made.path for made in exported]
    inspections = inspect.run(paths)
    assert [each.precision for each in inspections] == [made.precision for made in exported]
    assert all(each.head_room is None for each in inspections)
    scores = evaluate.evaluate(paths, photos, reference=paths[0])
    assert all(score.agreement == 1.0 for score in scores if score.precision != "dynamic")
    records.write(tmp_path / "all.json", [*scores, *latency.profile(paths, Plan(runs=3, seconds=0, rounds=1))])
    text = table.run([tmp_path / "all.json"])
    # Top-1 that others published is of float weights for all three.
    assert all(precision in text for precision in PRECISIONS)
    assert "QAT" not in text


def test_the_command_line_offers_them(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["export", str(model), "--precision", "dynamic", "--format", "onnx", "--out", str(tmp_path)])
    assert ended.value.code == 0
    assert [path.name for path in tmp_path.iterdir()] == [f"{SPEC.name}.dynamic.onnx"]
    assert f"{SPEC.name}.dynamic.onnx" in capsys.readouterr().out
