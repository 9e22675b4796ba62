"""`mnet train` on pictures that are told apart by their colour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge import cli, records
from mobilenet_edge.commands import train
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.formats import artifact
from mobilenet_edge.records import Training
from mobilenet_edge.training import recipe

NAMES = ("café", "grün", "rot")
SMALL: dict[str, Any] = {"alpha": 0.25, "rho": 32, "weights": "random"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures of each of three classes, and one that cannot be read."""
    folder = tmp_path_factory.mktemp("pets")
    generator = np.random.default_rng(0)
    for channel, name in enumerate(NAMES):
        (folder / name).mkdir()
        for number in range(8):
            pixels = generator.integers(0, 90, (36, 48, 3))
            pixels[..., channel] += 150
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{number}.png")
    (folder / "rot" / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **options: Any) -> Any:
        raise AssertionError("training was started")

    monkeypatch.setattr(recipe, "train", fail)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": -1}, "--epochs must be 0 or more"),
        ({"unfreeze": "14"}, "--unfreeze must be 0 to 13 blocks, or all; got '14'"),
        ({"unfreeze": "-1"}, "--unfreeze"),
        ({"validation": 0.0}, "--validation 0 and --test 0 must be shares"),
        ({"validation": 0.5, "test": 0.5}, "whose sum is below 1"),
        ({"validation": float("nan")}, "--validation nan"),
        ({"seed": -1}, "--seed must be from 0"),
        ({"rho": 33}, "rho must be a multiple of 32"),
        ({"alpha": 3.0}, "alpha must be above 0"),
    ],
)
def test_number_out_of_range_is_refused(tmp_path, no_training, options, message):
    with pytest.raises(UsageError, match=message):
        train.run(tmp_path / "never read", out=tmp_path, **{**SMALL, **options})


def test_place_that_cannot_be_written_is_refused_before_training(pets, tmp_path, no_training):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write to"):
        train.run(pets, out=tmp_path / "file", **SMALL)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("none --alpha 0.25 --rho 32", 3, "none is not a folder; give one that holds images"),
        ("pets --alpha 0.25", 2, "missing option '--rho'; see mnet train --help"),
        ("pets --alpha 0.25 --rho 32 --epochs -1", 2, "--epochs must be 0 or more, got -1"),
        ("pets --alpha 0.25 --rho 32 --weights no.h5", 3, "--weights no.h5: there is no such file"),
        ("pets --alpha 0.3 --rho 32", 2, "no ImageNet weights were published for mobilenet_v1 of alpha 0.3"),
        ("pets --alpha 0.25 --rho 32 --weights random --teacher no.keras", 3, "cannot read no.keras"),
    ],
)
def test_failure_is_one_line(pets, tmp_path, monkeypatch, capsys, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pets").symlink_to(pets)
    with pytest.raises(SystemExit) as stop:
        cli.main(["train", *arguments.split()])
    printed = capsys.readouterr()
    assert (stop.value.code, printed.out) == (code, "")
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
def test_head_alone(pets, tmp_path, cache, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(
            [
                "train",
                str(pets),
                *["--alpha", "0.25", "--rho", "32", "--weights", "random", "--out"],
                str(tmp_path / "a"),
            ]
        )
    printed = capsys.readouterr()
    assert (stop.value.code, printed.err) == (0, "")
    model = artifact.read(tmp_path / "a" / "mobilenet_v1-a0.25-r32-c3.keras")
    about = model.metadata
    assert about is not None
    assert about.labels == NAMES
    assert about.preprocess == Preprocess((32, 32))
    assert about.weights.source.startswith("random, trained on pets")
    (record,) = records.read(tmp_path / "a" / "mobilenet_v1-a0.25-r32-c3.training.json")
    assert isinstance(record, Training)
    assert record.classes == NAMES
    assert record.accuracy == 1  # a colour is seen through random weights, too
    assert record.interval[0] < 1
    assert [Path(name).name for name in record.unreadable] == ["broken.png"]
    assert record.pictures["train"] + record.pictures["validation"] == 25
    assert f"of {record.n} validation pictures" in printed.out
    assert "not readable: " in printed.out

    # The same command again, from kept features, gives the same bytes; another seed is another model.
    kept = {path: path.stat().st_mtime_ns for path in cache.rglob("*.f32")}
    assert len(kept) == 24
    train.run(pets, out=tmp_path / "a", **SMALL)
    assert artifact.read(model.path).data == model.data
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.f32")} == kept
    with pytest.raises(InputError, match="holds another model; write elsewhere with --out, or overwrite it with"):
        train.run(pets, out=tmp_path / "a", seed=1, **SMALL)
    assert artifact.read(model.path).data == model.data


class Killed(BaseException):
    """As a signal ends a run: nothing of mnet catches it."""


@pytest.mark.slow
def test_fine_tuning_goes_on_where_it_was_killed(pets, tmp_path, monkeypatch):
    from mobilenet_edge.training import tune

    options = {**SMALL, "epochs": 2, "test": 0.2}
    unbroken = train.run(pets, out=tmp_path / "a", **options)
    assert [point["epoch"] for point in unbroken.tuning] == [0, 1, 2]
    assert (unbroken.scored, unbroken.n) == ("test", unbroken.pictures["test"])
    keep, epochs = tune._keep, []

    def kill(*arguments: Any) -> None:
        keep(*arguments)
        raise Killed

    def count(*arguments: Any) -> None:
        keep(*arguments)
        epochs.append(1)

    monkeypatch.setattr(tune, "_keep", kill)
    with pytest.raises(Killed):
        train.run(pets, out=tmp_path / "b", **options)
    monkeypatch.setattr(tune, "_keep", count)
    train.run(pets, out=tmp_path / "b", **options)
    assert len(epochs) == 1
    name = "mobilenet_v1-a0.25-r32-c3.keras"
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == [name, name.replace("keras", "training.json")]


@pytest.mark.slow
def test_student_learns_from_a_teacher_and_is_exported(pets, tmp_path):
    from mobilenet_edge.conversion import pipeline

    train.run(pets, out=tmp_path / "big", **{**SMALL, "rho": 64})
    teacher = tmp_path / "big" / "mobilenet_v1-a0.25-r64-c3.keras"
    record = train.run(pets, out=tmp_path, teacher=teacher, **SMALL)
    assert record.teacher == teacher.name
    assert record.accuracy == 1
    pipeline.run(
        Path(record.artifact), formats=["tflite"], precisions=["float32"], calibrate=None, count=1, out=tmp_path
    )
    about = artifact.read(tmp_path / f"{record.variant}.float32.tflite").metadata
    assert about is not None
    assert about.labels == NAMES
    assert json.loads(about.to_json())["weights"]["source"].startswith("random, trained on pets")

    (pets / "rot").rename(pets / "rouge")
    try:
        with pytest.raises(InputError, match="knows other classes"):
            train.run(pets, out=tmp_path / "c", teacher=teacher, **SMALL)
    finally:
        (pets / "rouge").rename(pets / "rot")


@pytest.mark.slow
def test_fine_tuning_that_does_not_help_leaves_the_head_alone(pets, tmp_path, monkeypatch):
    from mobilenet_edge.training import tune

    def worse(*arguments: Any, **options: Any) -> list[tune.Epoch]:
        return [tune.Epoch(0, 0.5, 0.1, 1.0), tune.Epoch(1, 0.4, 0.2, 0.8)]

    monkeypatch.setattr(tune, "tune", worse)
    artifacts = [train.run(pets, out=tmp_path / str(epochs), epochs=epochs, **SMALL).artifact for epochs in (0, 1)]
    alone, tuned = (artifact.read(Path(path)).metadata for path in artifacts)
    assert alone.weights.sha256 == tuned.weights.sha256
    assert alone.weights.source != tuned.weights.source


@pytest.mark.slow
def test_body_of_another_model_brings_its_pixels(pets, tmp_path):
    from mobilenet_edge.conversion import creation
    from mobilenet_edge.data.pixel_options import PixelOptions
    from mobilenet_edge.model.spec import ModelSpec

    source = creation.create(ModelSpec(0.25, 64, 9), out=tmp_path, options=PixelOptions(pixels="0..1"))
    record = train.run(pets, out=tmp_path / "b", **{**SMALL, "weights": str(source.path)})
    about = artifact.read(Path(record.artifact)).metadata
    assert about.preprocess.size == (32, 32)
    assert about.preprocess.range == pytest.approx((0, 1))
    assert record.weights == source.path.name
