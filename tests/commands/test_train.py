"""`mnet train` on pictures that are told apart by their colour."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge import cli, files, records
from mobilenet_edge.commands import train as command
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.formats import artifact
from mobilenet_edge.records import Training
from mobilenet_edge.training import recipe
from mobilenet_edge.training.arguments import Arguments

NAMES = ("café", "grün", "rot")
SMALL: dict[str, Any] = {"alpha": 0.25, "rho": 32, "weights": "random"}


def train(data: Path, out: Path, **options: Any) -> Training:
    return command.run(data, Arguments(**{**SMALL, **options}), out=out)


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
        ({"epochs": -1}, "epochs must be 0 or more"),
        ({"unfreeze": "14"}, "unfreeze must be 0 to 13 blocks, or all; got '14'"),
        ({"unfreeze": "-1"}, "unfreeze"),
        ({"validation": 0.0}, "validation 0 and test 0 must be shares"),
        ({"validation": 0.5, "test": 0.5}, "whose sum is below 1"),
        ({"validation": float("nan")}, "validation nan"),
        ({"seed": -1}, "seed must be from 0"),
        ({"rho": 33}, "rho must be a multiple of 32"),
        ({"alpha": 3.0}, "alpha must be above 0"),
    ],
)
def test_number_out_of_range_is_refused(tmp_path, no_training, options, message):
    with pytest.raises(UsageError, match=message):
        train(tmp_path / "never read", tmp_path, **options)


def test_place_that_cannot_be_written_is_refused_before_training(pets, tmp_path, no_training):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write to"):
        train(pets, tmp_path / "file")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("none --alpha 0.25 --rho 32", 3, "none is not a folder; give one that holds images"),
        ("pets --alpha 0.25", 2, "missing option '--rho'; see mnet train --help"),
        ("pets --alpha 0.25 --rho 32 --epochs -1", 2, "epochs must be 0 or more, got -1"),
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
    train(pets, tmp_path / "a")
    assert artifact.read(model.path).data == model.data
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.f32")} == kept
    with pytest.raises(InputError, match="holds another model; write elsewhere with --out, or overwrite it with"):
        train(pets, tmp_path / "a", seed=1)
    assert artifact.read(model.path).data == model.data


class Killed(BaseException):
    """As a signal ends a run: nothing of mnet catches it."""


@pytest.mark.slow
def test_fine_tuning_goes_on_where_it_was_killed(pets, tmp_path, monkeypatch):
    from mobilenet_edge.training import checkpoint

    options: dict[str, Any] = {"epochs": 2, "test": 0.2}
    unbroken = train(pets, tmp_path / "a", **options)
    assert [point["epoch"] for point in unbroken.tuning] == [0, 1, 2]
    assert (unbroken.scored, unbroken.n) == ("test", unbroken.pictures["test"])
    keep, epochs = checkpoint.keep, []

    def kill(*arguments: Any) -> None:
        keep(*arguments)
        raise Killed

    def count(*arguments: Any) -> None:
        keep(*arguments)
        epochs.append(1)

    monkeypatch.setattr(checkpoint, "keep", kill)
    with pytest.raises(Killed):
        train(pets, tmp_path / "b", **options)
    monkeypatch.setattr(checkpoint, "keep", count)
    train(pets, tmp_path / "b", **options)
    # One epoch of the training pictures; two of all pictures, unless nothing of them is kept.
    assert len(epochs) == (3 if unbroken.blend else 1)
    name = "mobilenet_v1-a0.25-r32-c3.keras"
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == [name, name.replace("keras", "training.json")]


@pytest.mark.slow
def test_student_learns_from_a_teacher_and_is_exported(pets, tmp_path):
    from mobilenet_edge.conversion import pipeline

    train(pets, tmp_path / "big", rho=64)
    teacher = tmp_path / "big" / "mobilenet_v1-a0.25-r64-c3.keras"
    record = train(pets, tmp_path, teacher=teacher)
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
            train(pets, tmp_path / "c", teacher=teacher)
    finally:
        (pets / "rouge").rename(pets / "rot")


@pytest.mark.slow
def test_student_learns_from_pictures_without_classes(pets, tmp_path):
    train(pets, tmp_path / "big", rho=64)
    album = tmp_path / "album"
    album.mkdir()
    for path in pets.rglob("*.png"):
        (album / f"{path.parent.name} {path.name}").write_bytes(path.read_bytes())
    teacher = tmp_path / "big" / "mobilenet_v1-a0.25-r64-c3.keras"
    record = train(album, tmp_path, teacher=teacher)
    assert record.classes == NAMES
    assert [remark.code for remark in record.remarks] == ["teacher-labels"]
    assert record.accuracy == 1
    with pytest.raises(InputError, match="lies in no class folder"):
        train(album, tmp_path / "none")


@pytest.mark.slow
def test_mobilenet_v2_is_trained_and_damaged_state_is_said(pets, tmp_path):
    options: dict[str, Any] = {"family": "mobilenet_v2", "alpha": 0.35, "epochs": 1, "unfreeze": "17"}
    first = train(pets, tmp_path / "a", **options)
    assert first.variant == "mobilenet_v2-a0.35-r32-c3"
    assert first.remarks[-1].code != "state-damaged"
    digest = artifact.read(Path(first.artifact)).metadata.weights.source
    state = f".{first.variant}.{hashlib.sha256(digest.encode()).hexdigest()[:8]}.training"
    (tmp_path / "b" / state / "train").mkdir(parents=True)
    (tmp_path / "b" / state / "train" / "curve.json").write_text("[")
    again = train(pets, tmp_path / "b", **options)
    assert "state-damaged" in [remark.code for remark in again.remarks]
    assert Path(again.artifact).read_bytes() == Path(first.artifact).read_bytes()


@pytest.mark.slow
def test_pictures_of_one_colour_and_a_class_that_is_nearly_all(tmp_path):
    folder = tmp_path / "grey \\ 🐘"
    for name, count in (("a|b", 60), ("c, d", 6)):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (20, 20), (number, 100, 100)).save(folder / name / f"{number + 100 * (count == 6)}.png")
    for number in range(6):  # not the same pictures in both classes
        Image.new("RGB", (20, 20), (number, 100, 101)).save(folder / "c, d" / f"{number + 100}.png")
    record = train(folder, tmp_path)
    assert [(remark.code, remark.values.get("label")) for remark in record.remarks] == [
        ("few-pictures", None), ("one-class-dominates", "a|b"),
    ]  # fmt: skip
    assert all(math.isfinite(point["validation_loss"]) for point in record.head)


@pytest.mark.slow
def test_full_disk_at_the_end_leaves_neither_model_nor_record(pets, tmp_path, monkeypatch):
    write, calls = files._part, []

    def fail(path: Path, data: bytes, cleanup: Any) -> Path:
        if path.suffix == ".json" and "training" in path.name:
            calls.append(path)
            raise InputError(f"cannot write {path}: no space left on device; choose another place")
        return write(path, data, cleanup)

    monkeypatch.setattr(files, "_part", fail)
    with pytest.raises(InputError, match="no space left"):
        train(pets, tmp_path / "out")
    assert calls
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
def test_fine_tuning_that_does_not_help_leaves_the_head_alone(pets, tmp_path, monkeypatch):
    from mobilenet_edge.training import tune
    from mobilenet_edge.training.checkpoint import Epoch

    def worse(model: Any, *arguments: Any, **options: Any) -> tune.Tuning:
        model.set_weights([np.zeros_like(array) for array in model.get_weights()])
        return tune.Tuning([Epoch(0, 0.5, 0.1, 1.0), Epoch(1, 0.4, 0.2, 0.8)])

    monkeypatch.setattr(tune, "tune", worse)
    plain, tuned = (train(pets, tmp_path / str(epochs), epochs=epochs) for epochs in (0, 1))
    assert (plain.blend, tuned.blend) == (None, 0)
    assert [remark.code for remark in tuned.remarks] == ["few-pictures", "tuning-unused"]
    alone, tuned = (artifact.read(Path(record.artifact)).metadata for record in (plain, tuned))
    assert alone.weights.sha256 == tuned.weights.sha256
    assert alone.weights.source != tuned.weights.source


@pytest.mark.slow
def test_body_of_another_model_brings_its_pixels(pets, tmp_path):
    from mobilenet_edge.conversion import creation
    from mobilenet_edge.data.pixel_options import PixelOptions
    from mobilenet_edge.model.spec import ModelSpec

    source = creation.create(ModelSpec(0.25, 64, 9), out=tmp_path, options=PixelOptions(pixels="0..1"))
    record = train(pets, tmp_path / "b", weights=str(source.path))
    about = artifact.read(Path(record.artifact)).metadata
    assert about.preprocess.size == (32, 32)
    assert about.preprocess.range == pytest.approx((0, 1))
    assert record.weights == source.path.name
