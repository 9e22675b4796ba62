"""`mnet predict` on pictures, a folder, stdin and a camera."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge import cli
from mobilenet_edge.evaluation import evaluate
from tests.evaluation.test_evaluate import colour_model, head_model

pytestmark = pytest.mark.slow
COLOURS = {"red": (250, 9, 9), "green": (9, 250, 9), "blue": (9, 9, 250)}


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    for name, colour in COLOURS.items():
        Image.new("RGB", (20, 12), colour).save(tmp_path / "photos" / f"{name}.png")
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    return tmp_path / "photos"


@pytest.fixture
def model(tmp_path):
    return colour_model(tmp_path / "colours.onnx")


def predict(*words, code=0):
    with pytest.raises(SystemExit) as ended:
        cli.main(["predict", *map(str, words)])
    assert ended.value.code == code


def test_a_folder_is_answered_picture_by_picture(photos, model, capsys):
    predict(model, photos, "--labels", photos.parent / "labels.txt", "--json", "-", "--top", 2)
    out, err = capsys.readouterr()
    records = json.loads(out)
    assert [(each["picture"], each["answers"][0]["label"]) for each in records] == [
        (str(photos / f"{name}.png"), name) for name in sorted(COLOURS)
    ]
    assert {len(each["answers"]) for each in records} == {2}
    assert all(each[part] > 0 for each in records for part in ("decode_ms", "prepare_ms", "infer_ms"))
    assert "centre crop 0.875 (ASSUMED: --crop)" in err


def test_answers_are_right_as_often_as_evaluation_says(tmp_path, model, capsys):
    classes = sorted(COLOURS)
    for number in range(30):
        path = tmp_path / "flags" / classes[number % 3] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (2, 3, 3), np.uint8)
        Image.fromarray(pixels).resize((30, 20)).save(path)
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    labels = tmp_path / "labels.txt"
    predict(model, tmp_path / "flags", "--labels", labels, "--json", "-")
    records = json.loads(capsys.readouterr().out)
    right = sum(each["answers"][0]["label"] == Path(each["picture"]).parent.name for each in records)
    (evaluation,) = evaluate.evaluate([model], tmp_path / "flags", labels=labels, jobs=1)
    # Chance is a third: neither none nor all.
    assert 0 < right < 30
    assert evaluation.top1 == right / 30


def test_models_side_by_side(photos, model, capsys):
    # The same scores with the first two changed round.
    other = head_model(photos.parent / "other.onnx", [[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])
    predict(model, other, photos / "blue.png", photos / "red.png")
    out = capsys.readouterr().out
    assert f"{photos / 'red.png'}: the models disagree ({model}: 0, {other}: 1)" in out
    assert f"{photos / 'blue.png'}: " not in out


def test_a_picture_on_stdin(photos, model, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO((photos / "green.png").read_bytes())))
    predict(model, "-", "--json", "-")
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["picture"], record["answers"][0]["index"]) == ("-", 1)


class Camera:
    """As cv2.VideoCapture: frames of blue, green and red, until there are no more."""

    frames = (COLOURS["red"], COLOURS["blue"])

    def __init__(self, source):
        self.source, self.left = source, list(self.frames) if source == 0 else []

    def read(self):
        if not self.left:
            return False, None
        return True, np.full((12, 20, 3), self.left.pop(0)[::-1], np.uint8)

    def release(self):
        pass


def test_frames_of_a_camera(photos, model, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", SimpleNamespace(VideoCapture=Camera))
    predict(model, "--camera", 0, "--labels", photos.parent / "labels.txt", "--top", 1)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" (")[0].rpartition(" ")[0] for line in lines] == [
        "camera 0, frame 1: red",
        "camera 0, frame 2: blue",
    ]
    predict(model, "--camera", 7, code=3)


@pytest.mark.parametrize(
    "words",
    [["{photos}"], ["{model}"], ["{model}", "{photos}", "--camera", "0"], ["{model}", "{photos}", "--top", "0"]],
)
def test_usage(photos, model, words):
    predict(*(word.format(photos=photos, model=model) for word in words), code=2)


def test_a_camera_needs_opencv(model, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "cv2", None)
    predict(model, "--camera", 0, code=4)
    assert "mobilenet-edge[camera]" in capsys.readouterr().err


def test_a_picture_that_cannot_be_read(photos, model):
    (photos / "broken.png").write_bytes(b"none")
    predict(model, photos, code=3)
