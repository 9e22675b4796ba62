"""`mnet bundle`: the folder works without mnet, and its test notices where it does not."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge import cli, records
from mobilenet_edge.data import images
from mobilenet_edge.data.pixel_options import PixelOptions
from mobilenet_edge.data.stream import Picture
from mobilenet_edge.evaluation import inference
from mobilenet_edge.evaluation.inference import Question
from mobilenet_edge.formats import artifact
from mobilenet_edge.records import Evaluation
from tests.evaluation.test_evaluate import colour_model, head_model

pytestmark = pytest.mark.slow
COLOURS = {"red": (250, 90, 9), "green": (60, 250, 9), "blue": (9, 40, 250), "lime": (90, 240, 9)}


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    for number, (name, colour) in enumerate(COLOURS.items(), 1):
        Image.new("RGB", (20, 10 + number), colour).save(tmp_path / "photos" / f"{name}.png")
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    return tmp_path / "photos"


@pytest.fixture
def model(tmp_path):
    return colour_model(tmp_path / "colours.onnx")


def bundle(model, photos, *words, code=0):
    options = {"out": photos.parent / "app", "pictures": photos, "labels": photos.parent / "labels.txt"}
    given = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    with pytest.raises(SystemExit) as ended:
        cli.main(["bundle", str(model), *given, *words])
    assert ended.value.code == code
    return photos.parent / "app"


def run(app, *words):
    """Run a program of a bundle, which must not see mnet."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    hidden = "import runpy, sys; sys.modules['mobilenet_edge'] = None; sys.path.insert(0, '.'); sys.argv.pop(0); "
    command = [sys.executable, "-c", f"{hidden}runpy.run_path(sys.argv[0], run_name='__main__')"]
    return subprocess.run(
        [*command, *words], cwd=app, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_folder_works_without_mnet(photos, model):
    app = bundle(model, photos)
    done = run(app, "test.py")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "this folder works here")
    answers = run(app, "classify.py", str(photos / "red.png"), str(photos / "blue.png")).stdout.splitlines()
    assert [line.rpartition("/")[2].split(" ")[:2] for line in answers] == [["red.png:", "red"], ["blue.png:", "blue"]]


def test_examples_are_of_different_classes(photos, model):
    facts = json.loads((bundle(model, photos) / "bundle.json").read_text())
    assert {example["label"] for example in facts["examples"]} == {"red", "green", "blue"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("classify.py", "np.asarray(fit(upright_rgb(image)))", "np.asarray(fit(upright_rgb(image)))[..., ::-1]"),
        ("classify.py", "SCALE, OFFSET = 0.00784", "SCALE, OFFSET = 0.00392"),
        ("labels.txt", "red\ngreen\n", "green\nred\n"),
    ],
    ids=["colours", "scale", "labels"],
)
def test_its_test_notices_what_is_wrong(photos, model, file, old, new):
    app = bundle(model, photos)
    text = (app / file).read_text()
    assert old in text
    (app / file).write_text(text.replace(old, new))
    done = run(app, "test.py")
    assert done.returncode == 1, done.stderr
    assert "answered wrongly" in done.stdout


def test_what_others_wrote_is_kept(photos, model, capsys):
    app = photos.parent / "app"
    app.mkdir()
    (app / "classify.py").write_text("mine")
    bundle(model, photos, code=3)
    assert "--force" in capsys.readouterr().err
    assert [path.name for path in app.iterdir()] == ["classify.py"]
    bundle(model, photos, "--force")
    bundle(model, photos)
    # Another model of the same name.
    head_model(model, [[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    bundle(model, photos, code=3)


def test_measured_numbers_are_those_of_the_very_file(photos, model):
    identity = artifact.read(model).identity()
    figures = {"top1": 0.5, "top5": 1.0, "n": 48, "interval": (0.36, 0.64), "data": "flowers"}
    own, other = Evaluation(**identity, **figures), Evaluation(**identity | {"sha256": "ab"}, **figures | {"n": 77})
    records.write(photos.parent / "records.json", [own, other])
    text = (bundle(model, photos, "--records", str(photos.parent / "records.json")) / "README.md").read_text()
    assert "| flowers | 48 | 50.0% | 36.0% to 64.0% |" in " ".join(text.split())
    assert "77" not in text
    bundle(model, photos)
    assert "Not measured" in (photos.parent / "app" / "README.md").read_text()


def test_a_compiler_is_given_tensors(photos, model):
    app = bundle(model, photos, "--for", "compiler", "--fit", "stretch")
    facts = json.loads((app / "bundle.json").read_text())
    tensors, pixels = np.load(app / "calibration.npy"), np.load(app / "calibration_pixels.npy")
    assert (tensors.shape, tensors.dtype) == ((4, 3, 8, 8), np.float32)
    assert pixels[:, 0, 0].tolist() == [list(COLOURS[name]) for name in sorted(COLOURS)]
    np.testing.assert_allclose(tensors, ((pixels - facts["mean"]) / facts["std"]).transpose(0, 3, 1, 2), atol=1e-6)
    assert (app / "model.onnx").read_bytes() == model.read_bytes()
    assert (app / "labels.txt").read_text() == "red\ngreen\nblue\n"


def test_a_compiler_starts_from_float(photos, tmp_path):
    bundle(colour_model(tmp_path / "int8.onnx", dtype="INT8"), photos, "--for", "compiler", code=2)


def test_two_pictures_are_too_few(photos, model):
    for name in ("red", "lime"):
        (photos / f"{name}.png").unlink()
    bundle(model, photos, code=3)
    assert not (photos.parent / "app").exists()


# Answers, each as names and shares, of the pictures named on stdin.
ASK = """
import json, sys
from PIL import Image
from classify import classify
print(json.dumps([classify(Image.open(line.rstrip("\\n")))[:1] for line in sys.stdin]))
"""


@pytest.fixture(scope="module")
def exported(data, tmp_path_factory):
    """One model of published weights in every format, precision and element type."""
    place = tmp_path_factory.mktemp("exported")
    weights = data / "weights" / "mobilenet_2_5_128_tf.h5"
    build = ["build", "--alpha", "0.25", "--rho", "128", "--weights", str(weights), "--pixels=-1..1"]
    whole = ["export", str(place / "mobilenet_v1-a0.25-r128.keras"), "--labels", str(data / "labels.txt")]
    calibrated = ["--calibrate", str(data / "images"), "--count", "20"]
    for words in (
        [*build, "--out", str(place)],
        [*whole, *calibrated, "--out", str(place / "usual")],
        [*whole, *calibrated, "--out", str(place / "bytes"), "--precision", "int8", "--io", "uint8", "--fit", "pad"],
    ):
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        assert ended.value.code == 0
    return place


@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    [
        "usual/mobilenet_v1-a0.25-r128.float32.tflite",
        "usual/mobilenet_v1-a0.25-r128.int8.tflite",
        "usual/mobilenet_v1-a0.25-r128.float32.onnx",
        "usual/mobilenet_v1-a0.25-r128.int8.onnx",
        "bytes/mobilenet_v1-a0.25-r128.int8.tflite",
        "bytes/mobilenet_v1-a0.25-r128.int8.onnx",
    ],
)
def test_a_hundred_answers_are_those_of_evaluation(exported, data, tmp_path, name):
    with pytest.raises(SystemExit) as ended:
        cli.main(["bundle", str(exported / name), "--out", str(tmp_path / "app"), "--pictures", str(data / "images")])
    assert ended.value.code == 0
    paths = images.spread(images.find(data / "images"), 100)
    (tmp_path / "app" / "ask.py").write_text(ASK)
    done = subprocess.run(
        [sys.executable, "ask.py"], cwd=tmp_path / "app", input="".join(f"{path}\n" for path in paths),
        capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    theirs = [answers[0] for answers in json.loads(done.stdout)]
    pictures = (Picture(str(path), images.decode(path), 0) for path in paths)
    question = Question(1, PixelOptions())
    ours = [record.answers[0] for (record,) in inference.here([artifact.read(exported / name)], pictures, question)]
    assert [label for label, _ in theirs] == [answer["label"] for answer in ours]
    # Four threads sum in another order than one.
    np.testing.assert_allclose([share for _, share in theirs], [answer["probability"] for answer in ours], atol=1e-5)


@pytest.mark.skipif(not shutil.which("g++"), reason="g++ is not installed")
@pytest.mark.data
@pytest.mark.parametrize("name", ["usual/mobilenet_v1-a0.25-r128.float32", "bytes/mobilenet_v1-a0.25-r128.int8"])
def test_cpp_answers_as_evaluation(exported, data, tmp_path, name):
    app, model = tmp_path / "app", exported / f"{name}.tflite"
    with pytest.raises(SystemExit) as ended:
        cli.main(["bundle", str(model), "--out", str(app), "--pictures", str(data / "images"), "--for", "cpp"])
    assert ended.value.code == 0
    command = re.findall(r"^//     (c\+\+ .+)$", (app / "classify.cc").read_text(), re.MULTILINE)[0]
    environment = {**os.environ, "LITERT": str(Path(str(find_spec("ai_edge_litert").origin)).parent)}
    subprocess.run(["sh", "-c", f"{command} -Wall -Wextra -Werror"], cwd=app, env=environment, check=True, timeout=300)
    done = subprocess.run(["sh", "test.sh"], cwd=app, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "this folder works here"), done.stdout
    pictures = []
    for number, path in enumerate(images.spread(images.find(data / "images"), 100)):
        pictures.append(Picture(f"{number}.ppm", images.decode(path), 0))
        pictures[-1].image.save(app / f"{number}.ppm")
    names = [picture.name for picture in pictures]
    answers = subprocess.run(
        ["./classify", *names], cwd=app, capture_output=True, text=True, timeout=600, check=True
    ).stdout.splitlines()
    question = Question(1, PixelOptions())
    ours = [record.answers[0] for (record,) in inference.here([artifact.read(model)], pictures, question)]
    same = [
        line.startswith(f"{picture}: {answer['label']} ")
        for picture, line, answer in zip(names, answers, ours, strict=True)
    ]
    # One grey level off in some tall pictures may turn an answer that is nearly a tie.
    assert sum(same) >= 98


@pytest.mark.data
def test_an_app_has_its_assets(exported, data, tmp_path, capsys):
    def ask(name, code):
        words = ["--out", str(tmp_path / "app"), "--pictures", str(data / "images"), "--for", "android"]
        with pytest.raises(SystemExit) as ended:
            cli.main(["bundle", str(exported / name), *words])
        assert ended.value.code == code
        return capsys.readouterr().err

    assert "--io uint8" in ask("usual/mobilenet_v1-a0.25-r128.int8.tflite", 2)
    assert "bars beside a picture" in ask("bytes/mobilenet_v1-a0.25-r128.int8.tflite", 2)
    assert not (tmp_path / "app").exists()
    ask("usual/mobilenet_v1-a0.25-r128.float32.tflite", 0)
    assets = tmp_path / "app" / "assets"
    labels = (assets / "labels.txt").read_text().splitlines()
    assert len(labels) == 1000
    for line in (assets / "expected.tsv").read_text().splitlines():
        name, label = line.split("\t")
        assert label in labels
        with Image.open(assets / name) as image:
            assert (image.format, image.mode, max(image.size) <= 512) == ("PNG", "RGB", True)
