"""`mnet sweep` with `[train]`: from class folders to a table of accuracies on pictures that nothing has seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge import records
from mobilenet_edge.commands import sweep
from mobilenet_edge.data import dataset
from mobilenet_edge.errors import InputError, MnetError, UsageError
from mobilenet_edge.formats import artifact
from mobilenet_edge.records import Evaluation, Failure, Training
from mobilenet_edge.sweep import config as configuration
from mobilenet_edge.sweep.schedule import Schedule
from mobilenet_edge.sweep.stages import execute

CONFIG = """
[grid]
alpha = [0.25]
rho = [32, 64]
format = "tflite"
{grid}
[train]
data = "{data}"
weights = "random"
{train}
[calibration]
count = 8
[profile]
runs = 4
seconds = 0
rounds = 2
"""
HERE = sweep.SweepOptions(jobs=1)
STEM = "mobilenet_v1-a0.25-r{}-c2"


@pytest.fixture
def pets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twenty red and twenty green pictures, some of them the other way round, so that not all can be told."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    generator = np.random.default_rng(0)
    for channel, name in enumerate(("grün / 🐸", "rot")):
        folder = tmp_path / "pets" / name.replace("/", "\\")
        folder.mkdir(parents=True)
        for number in range(20):
            pixels = generator.integers(0, 90, (40, 40, 3))
            pixels[..., 1 - channel if number % 5 else channel] += 150
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
    return tmp_path / "pets"


@pytest.fixture
def config(tmp_path: Path, pets: Path) -> Callable[..., Path]:
    def write(train: str = "", grid: str = 'precision = "float32"') -> Path:
        path = tmp_path / "sweep.toml"
        path.write_text(CONFIG.format(data=pets, train=train, grid=grid))
        return path

    return write


def kinds(path: Path, kind: type) -> list[Any]:
    return [record for record in records.read(path) if isinstance(record, kind)]


def test_preview_names_the_train_stages_and_writes_nothing(config, tmp_path):
    lines = sweep.preview(config("epochs = 8\nmin_top1 = 60"), HERE, out=tmp_path / "out").splitlines()
    stem = STEM.format(32)
    assert lines[:4] == [
        f"train {stem} for 0 epochs: never run",
        f"train {stem} for 2 epochs: never run",
        f"train {stem}: never run",
        f"export {stem}: after train {stem}",
    ]
    assert f"evaluate {stem}: decided after export" in lines
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("train", "grid", "error", "message"),
    [
        ("", "classes = 7", UsageError, "grid.classes is 7, but train.data has 2 class folders"),
        ('teacher = "no.keras"', "", InputError, r"cannot read \S*no\.keras"),
    ],
)
def test_what_cannot_be_trained_is_found_first(config, tmp_path, train, grid, error, message):
    for function in (sweep.run, sweep.preview):
        with pytest.raises(error, match=message):
            function(config(train, grid), HERE, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_every_accuracy_is_of_pictures_that_nothing_has_seen(config, pets, tmp_path):
    out = tmp_path / "out"
    text, failures = sweep.run(config(), HERE, out=out)
    assert failures == 0
    test = dataset.read(pets, test=0.2).test
    evaluations = kinds(out / "records.json", Evaluation)
    assert {record.n for record in evaluations} == {len(test)}
    assert f"Scored: {len(test)} of 40 pictures of {pets}, unseen by training and calibration." in text
    for side in (32, 64):
        (record,) = kinds(out / f"{STEM.format(side)}.training.json", Training)
        assert record.artifact == str(out / f"{STEM.format(side)}.keras")
        assert (record.scored, record.n) == ("test", len(test))
        (float32,) = (each for each in evaluations if each.precision == "float32" and f"r{side}" in each.variant)
        assert float32.top1 == record.accuracy
        about = artifact.read(out / f"{STEM.format(side)}.float32.tflite").metadata
        assert about is not None
        assert about.training is not None
        assert (about.training.split, about.training.accuracy) == (record.split, record.accuracy)
        assert about.labels == ("grün \\ 🐸", "rot")
    assert sweep.run(config(), HERE, out=out) == (text, 0)

    # Another picture is another split, and everything is done again.
    Image.new("RGB", (40, 40), (9, 9, 200)).save(pets / "rot" / "new.png")
    assert "split" in sweep.preview(config(), HERE, out=out)


def test_training_pictures_alone_calibrate(config, pets, tmp_path):
    data = dataset.read(pets, test=0.2)
    loaded = configuration.load_sweep(config(grid='precision = "int8"'))
    plan = Schedule(replace(loaded, grid=loaded.grid.with_classes(2)), tmp_path, data)
    spec = plan.sweep.grid.specs()[0]
    (export,) = plan.exports(spec, tmp_path / "m.keras", "0")
    assert export.ingredients["calibration"] == {"source": "training", "split": data.sha256}
    assert len(export.request["calibrate"]) == 10  # eight, and a fourth more to hold out
    assert set(export.request["calibrate"]) <= {str(picture.path) for picture in data.train}
    assert plan.scoring is not None
    assert sorted(plan.scoring["only"]) == sorted(str(picture.path.relative_to(pets)) for picture in data.test)


@pytest.mark.slow
def test_variants_that_cannot_reach_the_accuracy_are_stopped(config, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(MnetError, match=r"no variant can reach train.min_top1; .* lower it") as caught:
        sweep.run(config("validation = 0.5\nmin_top1 = 100"), HERE, out=out)
    assert caught.value.exit_code == 1
    assert not list(out.glob("*.tflite"))


@pytest.mark.slow
def test_stopped_variant_is_a_row_and_no_failure(config, tmp_path, monkeypatch):
    from mobilenet_edge.sweep import halving

    def stop_small(trained: list[Training], min_top1: float, *, last: bool) -> list[tuple[Training, str]]:
        return [(record, "too few were right") for record in trained if "r32" in record.variant]

    monkeypatch.setattr(halving, "stopped", stop_small)
    out = tmp_path / "out"
    text, failures = sweep.run(config("min_top1 = 10"), HERE, out=out)
    assert failures == 0
    assert f"{STEM.format(32)} was stopped in training: too few were right." in text
    assert {record.variant for record in kinds(out / "records.json", Evaluation)} == {STEM.format(64)}
    (failure,) = kinds(out / "records.json", Failure)
    assert (failure.stage, failure.exit_code) == ("train", 0)


@pytest.mark.slow
def test_worker_elsewhere_returns_model_and_record(config, pets, tmp_path):
    loaded = configuration.load_sweep(config())
    data = dataset.read(pets, test=0.2)
    plan = Schedule(replace(loaded, grid=loaded.grid.with_classes(2)), tmp_path / "out", data)
    request = dict(plan.train(plan.sweep.grid.specs()[0], 0).request) | {"force": False, "home": "results"}
    answer = execute.answer({**request, "out": None})
    name = f"{STEM.format(32)}.keras"
    assert answer["files"] == [name]
    assert list(answer["bytes"]) == [name]
    (record,) = records.loads(answer["record"].encode(), "answer")
    assert isinstance(record, Training)
    assert record.artifact == f"results/{name}"
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="holds other pictures for this worker"):
        execute.answer({**request, "out": None, "split": "another"})
