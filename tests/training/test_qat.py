"""Quantisation-aware training: what is reported of the files is what they answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge import records
from mobilenet_edge.conversion import encode
from mobilenet_edge.data import dataset
from mobilenet_edge.device.runtimes import open_model
from mobilenet_edge.errors import MissingExtraError, UsageError
from mobilenet_edge.formats import artifact
from mobilenet_edge.report import lesson
from mobilenet_edge.training import qat, recipe, trainer
from mobilenet_edge.training.arguments import Arguments

OPTIONS = Arguments(alpha=0.25, rho=32, weights="random", test=0.3, qat=True)


@pytest.fixture
def striped(tmp_path: Path) -> Path:
    """Sixteen pictures of each of three kinds of stripes, with noise that hides some of them."""
    generator = np.random.default_rng(0)
    for label, name in enumerate(("across", "checks", "down")):
        (tmp_path / "data" / name).mkdir(parents=True)
        rows, columns = np.mgrid[:48, :48] // 6 % 2
        pattern = (rows, rows ^ columns, columns)[label]
        for number in range(16):
            pixels = 80 + 90 * pattern[..., None] + generator.normal(0, 60, (48, 48, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(tmp_path / "data" / name / f"{number}.png")
    return tmp_path / "data"


def test_it_needs_pictures_that_judge(striped, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise AssertionError("training was started")

    monkeypatch.setattr(recipe, "train", fail)
    with pytest.raises(UsageError, match=r"there are none; add --test 0\.2"):
        trainer.train(striped, Arguments(alpha=0.25, rho=32, weights="random", qat=True), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_finished_is_not_begun(striped, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise AssertionError("training was started")

    monkeypatch.setattr(recipe, "train", fail)

    def missing(kind):
        raise MissingExtraError(f"writing .{kind} files needs onnx", "export")

    monkeypatch.setattr(encode, "tools", missing)
    with pytest.raises(MissingExtraError, match=r"\.tflite files needs"):
        trainer.train(striped, OPTIONS, out=tmp_path / "out")
    # Pictures that only a teacher names have no classes to judge by.
    data = dataset.read(striped, test=0.3)
    monkeypatch.setattr(trainer, "read", lambda *_: data)
    (striped / "loose.png").write_bytes((striped / "down" / "0.png").read_bytes())
    with pytest.raises(UsageError, match=r"has no class folders; sort the pictures into some, or leave out --qat"):
        trainer.train(striped, OPTIONS, out=tmp_path / "out")


@pytest.mark.slow
def test_a_run_that_is_killed_while_integers_are_tuned_goes_on(striped, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def killed(*_, **__):
        raise KeyboardInterrupt

    options = replace(OPTIONS, epochs=1, unfreeze="0")
    monkeypatch.setattr(qat, "finish", killed)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(striped, options, out=tmp_path / "out")
    assert list((tmp_path / "out").glob("*.keras"))
    assert list((tmp_path / "out").glob(".*.training"))
    trainer.train(striped, replace(options, qat=False), out=tmp_path / "out")
    assert not list((tmp_path / "out").glob(".*.training"))


@pytest.mark.slow
def test_what_was_tuned_is_in_the_files(striped, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(qat, "STEPS", 12)
    out = tmp_path / "out"
    record = trainer.train(striped, OPTIONS, out=out)
    (written,) = records.read(out / f"{record.variant}.training.json")
    assert written == record
    tuning = record.integers
    assert tuning is not None
    losses = {point["epoch"]: point["validation_loss"] for point in tuning.curve}
    # 0 where no loss is lower by more than its standard error, which the least need not be.
    assert tuning.epoch == 0 or losses[tuning.epoch] < losses[0]

    # Count anew, without anything that evaluates.
    pictures = dataset.read(striped, test=0.3).test
    assert tuning.n == len(pictures)
    right = {}
    for path in map(Path, tuning.artifacts):
        session = open_model(path)
        (info,) = session.inputs
        hits = 0
        for picture in pictures:
            with Image.open(picture.path) as image:
                pixels = np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR), np.float32) / 127.5 - 1
            if info.dtype == "int8":
                pixels = np.clip(np.rint(pixels / info.scale) + info.zero_point, -128, 127).astype(np.int8)
            tensor = pixels[None] if path.suffix == ".tflite" else pixels.transpose(2, 0, 1)[None]
            hits += int(session.run([tensor])[0].argmax()) == picture.label
        right[path.suffix] = hits
    # The rule of the file crops a little, so that single pictures may differ.
    assert right[".tflite"] == pytest.approx(tuning.tuned, abs=2)
    assert right[".onnx"] == pytest.approx(right[".tflite"], abs=1)

    text = lesson.text(record)
    assert f"of {tuning.n} test pictures right: float" in text
    assert tuning.artifacts[0] in text
    about = artifact.read(Path(tuning.artifacts[0])).metadata
    assert about is not None
    assert ("integers tuned on" in about.scheme) == (tuning.epoch > 0)
    assert about.labels == ("across", "checks", "down")

    # The same seed gives the same bytes, and a model in another place stays.
    again = trainer.train(striped, OPTIONS, out=tmp_path / "again")
    for first, second in zip(tuning.artifacts, again.integers.artifacts, strict=True):
        assert Path(first).read_bytes() == Path(second).read_bytes()
