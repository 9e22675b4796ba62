"""`mnet export --precision mixed` and `--explain`, from a Keras model to files that every verb takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilenet_edge import cli, records
from mobilenet_edge.budget import gather
from mobilenet_edge.commands import inspect, report, table
from mobilenet_edge.conversion import creation, outcome
from mobilenet_edge.conversion import pipeline as export
from mobilenet_edge.conversion.mixture import Mixing
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.evaluation import evaluate
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.profiling import latency
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.quantise import synthetic

pytestmark = pytest.mark.slow

SPEC = ModelSpec(0.25, 64, 10)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return creation.create(SPEC, out=tmp_path_factory.mktemp("model")).path


@pytest.fixture(scope="module")
def images() -> Any:
    return synthetic.images(30, (64, 64, 3))


@pytest.fixture(scope="module")
def exported(model: Path, images: Any, tmp_path_factory: pytest.TempPathFactory) -> export.Files:
    out = tmp_path_factory.mktemp("exported")
    return export.run(model, precisions=("int8", "mixed"), calibrate=images, out=out, explain=True)


def test_files_say_what_is_float(exported: export.Files) -> None:
    for file in exported[2:]:
        about = file.metadata
        assert about is not None
        assert (about.precision, about.io, about.input) == ("mixed", "float32", None)
        assert about.scheme.startswith("float32 up to conv_")
        assert about.calibration is not None
        assert about.agreement is not None
        assert about.agreement.held_out
        assert file.path.name == f"{SPEC.name}.mixed.{file.format}"


def test_the_same_images_give_the_same_bytes(exported: export.Files, model: Path, images: Any, tmp_path: Path) -> None:
    again = export.run(model, precisions=("mixed",), calibrate=images, out=tmp_path)
    assert [file.sha256 for file in again] == [file.sha256 for file in exported[2:]]


def test_the_loss_is_divided_among_all_layers(exported: export.Files) -> None:
    # The input, 27 convolutions, a mean and the classifier.
    assert len(exported.losses) == 30


def test_every_verb_takes_them(exported: export.Files, tmp_path: Path) -> None:
    from PIL import Image

    for index in range(10):
        (tmp_path / "photos" / f"class {index}").mkdir(parents=True)
        pixels = np.clip((synthetic.images(1, (80, 72, 3), seed=index)[0] + 1) * 127.5, 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photos" / f"class {index}" / "one.png")
    paths = [file.path for file in exported]
    found = inspect.run(paths)
    assert [each.precision for each in found] == ["int8", "int8", "mixed", "mixed"]
    # The integers of a mixed .onnx file keep to 16 bits as those of an int8 one do.
    assert found[3].head_room is not None
    scores = evaluate.evaluate(paths, tmp_path / "photos")
    profiles = latency.profile(paths, Plan(runs=3, seconds=0, rounds=1, limit=False))
    records.write(tmp_path / "all.json", [*scores, *profiles])
    assert "mixed" in table.run([tmp_path / "all.json"])
    subjects, _ = gather.gather(paths, [])
    assert [subject.precision for subject in subjects] == ["int8", "int8", "mixed", "mixed"]


def test_a_search_measures_and_chooses_for_each_format(model: Path, images: Any, tmp_path: Path) -> None:
    # The answers of random weights are nearly alike: an agreement that any file keeps.
    made = export.run(model, precisions=("mixed",), calibrate=images, out=tmp_path, mixing=Mixing(0.01), explain=True)
    assert made.search is not None
    assert set(made.search.chosen) == {"tflite", "onnx"}
    assert all(point.ms["onnx"] > 0 and point.ms["tflite"] > 0 for point in made.search.points)
    assert all(point.agreement is not None for point in made.search.points)
    assert made.losses == ()
    for file in made:
        assert file.metadata is not None
        assert made.search.chosen[file.format].cut in file.metadata.scheme


def test_the_whole_curve_and_the_losses_go_into_the_records_and_the_page(
    model: Path, images: Any, tmp_path: Path
) -> None:
    made = export.run(
        model,
        precisions=("int8", "mixed"),
        formats=("onnx",),
        calibrate=images,
        out=tmp_path,
        mixing=Mixing(0.01),
        explain=True,
    )
    records.write(tmp_path / "export.json", outcome.records(made))
    int8, mixed = records.read(tmp_path / "export.json")
    assert isinstance(int8, records.Export)
    assert isinstance(mixed, records.Export)
    assert int8.losses == made.losses
    assert mixed.division is not None
    # All int8, and a cut behind each of the 27 layers before the mean.
    assert [cut.layers for cut in mixed.division.cuts] == list(range(28))
    assert all(cut.agreement is not None and cut.snr_db is not None for cut in mixed.division.cuts)
    assert mixed.division.cut in made[1].metadata.scheme
    page = report.run([tmp_path / "export.json"], tmp_path / "report")[0].read_text()
    assert "mixed onnx</h3>" in page
    assert "int8 onnx</strong>" in page


def test_times_can_come_from_records(model: Path, images: Any, exported: export.Files, tmp_path: Path) -> None:
    floats = export.run(model, precisions=("float32",), formats=("onnx",), out=tmp_path)
    pair = [floats[0].path, exported[1].path]
    profiles = latency.profile(pair, Plan(runs=30, seconds=0, rounds=1, ops=True, limit=False))
    records.write(tmp_path / "here.json", profiles)
    mixing = Mixing(0.01, tmp_path / "here.json")
    made = export.run(model, precisions=("mixed",), formats=("onnx",), calibrate=images, out=tmp_path, mixing=mixing)
    assert made.search is not None
    operators = [op["ms"] for record in profiles[1:] if isinstance(record, records.Profile) for op in record.ops or ()]
    assert made.search.points[0].ms == {"onnx": pytest.approx(sum(operators))}
    with pytest.raises(InputError, match=r"the int8 \.tflite"):
        export.run(model, precisions=("mixed",), calibrate=images, out=tmp_path, mixing=mixing)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precisions": ("int8",), "mixing": Mixing(0.97)}, "add --precision mixed"),
        ({"precisions": ("mixed",), "mixing": Mixing(97)}, "at most 1, got 97"),
        ({"precisions": ("mixed",), "mixing": Mixing(None, Path("a.json"))}, "add --min-agreement"),
        ({"precisions": ("mixed",), "calibrate": None}, "mixed needs calibration images"),
        ({"precisions": ("mixed",), "io": "int8"}, "--io int8 is about int8 files"),
        ({"precisions": ("mixed",), "explain": True}, "--explain is about int8 files"),
        ({"precisions": ("mixed",), "target": "edgetpu"}, "--target edgetpu takes --precision int8, not mixed"),
        ({"precisions": ("mixed",), "calibrate": "random", "mixing": Mixing(0.97)}, "give at least 20"),
    ],
)
def test_what_does_not_go_together_is_refused(
    options: dict[str, Any], message: str, model: Path, images: Any, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        export.run(model, **{"calibrate": images, "out": tmp_path, **options})
    assert not list(tmp_path.iterdir())


def test_the_command_line_offers_them(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ["--precision", "int8", "--precision", "mixed", "--format", "onnx", "--explain"]
    path = tmp_path / "export.json"
    with pytest.raises(SystemExit) as ended:
        cli.main(["export", str(model), *wanted, "--calibrate", "random", "--out", str(tmp_path), "--json", str(path)])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert f"{SPEC.name}.mixed.onnx" in out
    assert "by activations" in out
    found = records.read(path)
    assert [each.precision for each in found if isinstance(each, records.Export)] == ["int8", "mixed"]
