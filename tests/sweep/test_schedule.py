"""From a sweep's file to its stages: what each depends on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.sweep import fingerprint, stage
from mobilenet_edge.sweep.config import CalibrationTable, EvaluateTable, GridTable, ProfileTable, Sweep, WeightsTable
from mobilenet_edge.sweep.manifest import Manifest
from mobilenet_edge.sweep.schedule import Schedule
from mobilenet_edge.sweep.stage import Stage, differences

GRID = GridTable((0.25,), (32,), classes=3)
SPEC = ModelSpec(0.25, 32, 3)
MODEL = Path("m.keras")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for index in range(4):
        folder = tmp_path / "photos" / f"class{index % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4, 3), index, np.uint8)).save(folder / f"{index}.png")
    return tmp_path / "photos"


def changed(before: Stage, after: Stage) -> list[str]:
    """The first words of what differs: the names of ingredients."""
    return [each.partition(" ")[0] for each in differences(dict(before.ingredients), dict(after.ingredients))]


def plan(**parts: Any) -> Schedule:
    return Schedule(Sweep(**{"grid": GRID, **parts}), Path("out"))


def export(of: Schedule, sha256: str = "0") -> Stage:
    (stage,) = of.exports(SPEC, MODEL, sha256)
    return stage


def test_names_are_verb_and_subject() -> None:
    stage = plan().build(SPEC)
    assert (stage.verb, stage.subject) == ("build", "mobilenet_v1-a0.25-r32-c3")


def test_a_build_depends_on_its_weights() -> None:
    assert changed(plan().build(SPEC), plan(weights=WeightsTable("random", 1)).build(SPEC)) == ["weights.seed"]


@pytest.mark.parametrize(
    ("target", "package"), [("generic", None), ("tflm", "tflite-micro"), ("ethos-u55-128", "ethos-u-vela")]
)
def test_an_export_depends_on_what_makes_its_files(
    target: str, package: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "version", lambda name: "1")
    found = export(plan(grid=replace(GRID, format=("tflite",), precision=("int8",), target=(target,))))
    of_target = found.ingredients["versions"].keys() & {"tflite-micro", "ethos-u-vela"}
    assert of_target == {package} - {None}


def test_the_content_of_a_weights_file_decides(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    path.write_bytes(b"1")
    before = plan(weights=WeightsTable(str(path))).build(SPEC)
    assert changed(before, plan(weights=WeightsTable(str(path))).build(SPEC)) == []
    path.write_bytes(b"2")
    assert changed(before, plan(weights=WeightsTable(str(path))).build(SPEC)) == ["weights.sha256"]


def test_an_export_depends_on_its_model_and_options() -> None:
    before = export(plan())
    assert changed(before, export(plan(), sha256="1")) == ["model"]
    assert changed(before, export(plan(calibration=CalibrationTable(count=7)))) == ["count"]
    assert changed(before, export(plan(grid=replace(GRID, format=("onnx",))))) == ["formats"]


def test_an_export_depends_on_the_images_that_calibrate(photos: Path) -> None:
    calibration = CalibrationTable(str(photos), count=2)
    before = export(plan(calibration=calibration))
    assert changed(before, export(plan(calibration=calibration))) == []
    # Of four images the first and the third calibrate.
    Image.fromarray(np.full((4, 4, 3), 9, np.uint8)).save(photos / "class0" / "0.png")
    assert changed(before, export(plan(calibration=calibration))) == ["calibration.sha256"]


def test_images_do_not_matter_to_float32(photos: Path) -> None:
    stage = export(plan(grid=replace(GRID, precision=("float32",)), calibration=CalibrationTable(str(photos))))
    assert stage.ingredients["calibration"] is None


def test_every_target_has_its_int8_files_and_the_first_the_others() -> None:
    stages = list(plan(grid=replace(GRID, target=("generic", "arm64", "edgetpu"))).exports(SPEC, MODEL, "0"))
    ingredients = [stage.ingredients for stage in stages]
    assert [(each["target"], each["formats"], each["precisions"]) for each in ingredients] == [
        ("generic", ["tflite", "onnx"], ["float32", "int8"]),
        ("arm64", ["tflite", "onnx"], ["int8"]),
        ("edgetpu", ["tflite"], ["int8"]),
    ]


def test_mixed_files_are_calibrated_and_made_for_each_target_that_takes_them(photos: Path) -> None:
    grid = replace(GRID, target=("generic", "arm64"), precision=("float32", "mixed"))
    calibration = CalibrationTable(str(photos))
    stages = list(plan(grid=grid, calibration=calibration).exports(SPEC, MODEL, "0"))
    assert [stage.ingredients["precisions"] for stage in stages] == [["float32", "mixed"], ["mixed"]]
    assert all(stage.ingredients["calibration"] is not None for stage in stages)


def test_a_profile_depends_on_artifact_machine_and_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "_query", lambda *_: None)

    def stage(sha256: str = "0", host: str = "local", **how: Any) -> Stage:
        return plan(profile=ProfileTable(**how)).profile(Path("a.tflite"), sha256, host, 2)

    assert stage().name == "profile a.tflite on local with 2 threads"
    assert changed(stage(), stage("1")) == ["artifact"]
    assert changed(stage(), stage(runs=7)) == ["runs"]
    assert "device.host" in changed(stage(), stage(host="pi@nowhere"))


DEVICES = """[pi4]
host = "pi@one"
python = "~/a/bin/python"
delegate = "/lib/x.so"
delegate_options = {threads = "2"}
note = "on the shelf"
"""


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A device that says what this dict holds."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "devices.toml").write_text(DEVICES)
    monkeypatch.chdir(tmp_path)
    found = {"cpu": "Cortex-A72", "board": "Pi 4", "versions": {"litert": "2.0"}}
    monkeypatch.setattr(fingerprint, "_query", lambda *_: dict(found) or None)
    return found


def on_device() -> Stage:
    return plan().profile(Path("a.tflite"), "0", "pi4", 1)


@pytest.mark.parametrize(
    ("old", "new", "ingredient"),
    [
        ("pi@one", "pi@other", "device.host"),
        ("~/a/bin", "~/b/bin", "device.python"),
        ("x.so", "y.so", "device.delegate"),
        ('threads = "2"', 'threads = "4"', "device.delegate_options.threads"),
    ],
)
def test_a_profile_depends_on_the_device_and_not_on_its_name_alone(
    old: str, new: str, ingredient: str, answers: dict[str, Any]
) -> None:
    before = on_device()
    Path("configs/devices.toml").write_text(DEVICES.replace(old, new))
    assert changed(before, on_device()) == [ingredient]
    Path("configs/devices.toml").write_text(DEVICES.replace("on the shelf", "moved"))
    assert changed(before, on_device()) == []


def test_a_profile_depends_on_what_the_device_says_of_itself(answers: dict[str, Any]) -> None:
    before = on_device()
    answers |= {"cpu": "Cortex-A76", "versions": {"litert": "2.1"}}
    assert changed(before, on_device()) == ["machine.cpu", "machine.versions.litert"]


def test_a_device_that_is_off_keeps_its_profiles(answers: dict[str, Any], tmp_path: Path) -> None:
    ledger = Manifest(tmp_path)
    (tmp_path / "r.json").touch()
    ledger.record(on_device(), [tmp_path / "r.json"])
    answers.clear()
    assert ledger.stale_reason(on_device()) is None
    Path("configs/devices.toml").write_text(DEVICES.replace("pi@one", "pi@other"))
    assert "device.host" in str(ledger.stale_reason(on_device()))


@pytest.mark.parametrize(
    ("source", "precision", "left_out"),
    [
        ("photos", ("float32", "int8"), 2),
        ("./photos", ("int8",), 2),
        ("photos/../photos", ("int8",), 2),
        ("random", ("int8",), 0),
        ("photos", ("float32",), 0),
    ],
)
def test_images_that_calibrate_are_not_scored(
    source: str, precision: tuple[str, ...], left_out: int, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos.parent)
    made = plan(
        grid=replace(GRID, precision=precision),
        calibration=CalibrationTable(source, 2),
        evaluate=EvaluateTable("photos"),
    )
    assert made.leave_out == left_out
