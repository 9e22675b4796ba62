"""`mnet sweep`: a grid of one variant, from the file to the table."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilenet_edge import cli, records
from mobilenet_edge.commands import build, evaluate, sweep
from mobilenet_edge.config import Calibration, Evaluating, Grid, Sweep, Weights
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.quantise import synthetic

CONFIG = """
[grid]
alpha = [0.25]
rho = [32]
classes = 3
{grid}
[calibration]
count = 6
{calibration}
[profile]
runs = 4
seconds = 0
rounds = 2
"""
STEM = "mobilenet_v1-a0.25-r32-c3"
GRID = Grid((0.25,), (32,), classes=3)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six pictures in each of three class folders."""
    from PIL import Image

    folder = tmp_path / "photos"
    for index, name in enumerate(("cat", "dog", "fox")):
        (folder / name).mkdir(parents=True)
        for number, values in enumerate(synthetic.images(6, (40, 40, 3), seed=index)):
            pixels = np.asarray((values + 1) * 127.5, np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    def config(grid: str = "", calibration: str = "") -> Path:
        path = tmp_path / "sweep.toml"
        path.write_text(CONFIG.format(grid=grid, calibration=calibration))
        return path

    return config


@pytest.fixture
def nothing_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "run", lambda *_, **__: pytest.fail("built before everything was looked at"))


# Before anything is built


def test_options_come_before_the_file() -> None:
    given = Sweep(GRID, Weights("imagenet", 3), Calibration("here", 7), evaluate=Evaluating("here", "labels.txt"))
    assert sweep._override(given, None, None) == given
    made = sweep._override(given, "random", Path("there"))
    assert (made.weights, made.calibration) == (Weights("random", 3), Calibration("there", 7))
    assert made.evaluate == Evaluating("there", "labels.txt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"calibration": Calibration("nowhere")}, "nowhere is not a folder"),
        ({"evaluate": Evaluating("nowhere")}, "nowhere is not a folder"),
        ({"evaluate": Evaluating(None, "nowhere.txt")}, r"cannot read nowhere\.txt"),
    ],
)
def test_what_is_missing_is_found_first(
    change: dict[str, Any], message: str, tmp_path: Path, nothing_built: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep.config, "load_sweep", lambda _: replace(Sweep(GRID), **change))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        sweep.run(Path("sweep.toml"), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written(config: Callable[..., Path], tmp_path: Path, nothing_built: None) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot write to .*file/out: not a directory"):
        sweep.run(config(), out=tmp_path / "file" / "out")


def test_weights_that_do_not_exist(config: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ImageNet weights have 1000 classes, not 3"):
        sweep.run(config(), weights="imagenet", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


# Which images are scored


@pytest.mark.parametrize(
    ("source", "precision", "left_out"),
    [
        ("photos", ("float32", "int8"), 6),
        ("./photos", ("int8",), 6),
        ("data", ("int8",), 6),  # holds the same pictures as data/images
        ("random", ("int8",), 0),
        ("others", ("int8",), 0),
        ("photos", ("float32",), 0),
    ],
)
def test_images_that_calibrated_are_not_scored(
    source: str,
    precision: tuple[str, ...],
    left_out: int,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "images").symlink_to(photos)
    (tmp_path / "others").mkdir()
    monkeypatch.chdir(tmp_path)
    asked: dict[str, Any] = {}
    monkeypatch.setattr(evaluate, "run", lambda *_, **options: asked.update(options) or [])
    grid = replace(GRID, precision=precision)
    sweep._evaluate(Sweep(grid, calibration=Calibration(source, 6), evaluate=Evaluating("photos")), [])
    assert asked["leave_out"] == left_out


# The whole of it


@pytest.mark.slow
def test_a_sweep_without_images(config: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    text = sweep.run(config(), out=out)
    made = {f"{STEM}.{precision}.{kind}" for precision in ("float32", "int8") for kind in ("tflite", "onnx")}
    tables = {"tradeoff.md", "tradeoff.csv", "tradeoff.json"}
    assert {path.name for path in out.iterdir()} == {f"{STEM}.keras", "profiles.json", *made, *tables}
    assert (out / "tradeoff.md").read_text() == text + "\n"
    assert text.count("not measured") == 4
    assert "synthetic calibration; accuracy meaningless" in text
    assert "random" in text
    rows = list(csv.DictReader((out / "tradeoff.csv").read_text().splitlines()))
    assert {Path(row["artifact"]).name for row in rows} == made
    assert all(float(row["median_ms"]) > 0 and row["top1_percent"] == "" for row in rows)
    assert all(len(each.times_ns) >= 4 for each in records.read(out / "profiles.json"))  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_sweep_with_images_scores_those_held_out(
    config: Callable[..., Path], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as stop:
        cli.main(["sweep", str(config()), "--data", str(photos), "--out", str(out)])
    captured = capsys.readouterr()
    assert (stop.value.code or 0, captured.err) == (0, "")
    found = json.loads((out / "evaluations.json").read_text())
    assert [each["n"] for each in found] == [18 - 6] * 4
    # The float file stands for the model, and agrees with itself; the ONNX one is equal within 1e-5.
    assert {each["agreement"] for each in found if each["precision"] == "float32"} == {1.0}
    assert {each["calibration"]["count"] for each in found if each["precision"] == "int8"} == {6}
    assert "synthetic" not in captured.out
    assert "(12)" in captured.out


@pytest.mark.slow
def test_int8_alone_has_no_reference_and_says_so_by_silence(
    config: Callable[..., Path], photos: Path, tmp_path: Path
) -> None:
    grid = 'precision = ["int8"]\nformat = ["onnx"]'
    sweep.run(config(grid), data=photos, out=tmp_path / "out")
    (found,) = records.read(tmp_path / "out" / "evaluations.json")
    assert (found.to_dict()["agreement"], found.to_dict()["n"]) == (None, 12)


@pytest.mark.data
def test_a_sweep_of_the_real_thing(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "real.toml"
    path.write_text(
        f"[grid]\nalpha = [0.25]\nrho = [128]\nformat = ['onnx']\n"
        f"[weights]\nsource = '{data / 'weights' / 'mobilenet_2_5_128_tf.h5'}'\n"
        "[profile]\nruns = 4\nseconds = 0\nrounds = 1\n"
    )
    sweep.run(path, data=data, out=tmp_path / "out")
    found = {each.precision: each.to_dict() for each in records.read(tmp_path / "out" / "evaluations.json")}
    # .427 on 1000 images (the data's README); with 400 of another draw the standard error is 2.5 points: three of them.
    assert found["float32"]["top1"] == pytest.approx(0.427, abs=0.075)
    assert found["int8"]["agreement"] >= 0.80
    assert found["float32"]["n"] == found["int8"]["n"] >= 100
