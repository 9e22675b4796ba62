"""The page of `mnet bundle --for web` in a real browser: its pixels are mnet's, and its test notices what is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge import cli
from mobilenet_edge.bundle import web
from mobilenet_edge.data import images, prepare
from tests.bundle.conftest import deployment
from tests.bundle.test_script import noise, rule, taken
from tests.evaluation.test_evaluate import colour_model

pytestmark = [pytest.mark.slow, pytest.mark.browser]
SITE = "http://bundle.test/"
# What onnxruntime-web would make of `colour_model`: the mean of each channel, by plain arithmetic.
STAND_IN = """
globalThis.ort = {
  Tensor: class { constructor(type, data, dims) { Object.assign(this, { type, data, dims }); } },
  InferenceSession: { create: async () => ({
    inputNames: ["image"], outputNames: ["scores"],
    run: async ({ image }) => {
      const size = image.data.length / 3, mean = (c) => image.data.subarray(c * size, (c + 1) * size);
      return { scores: { data: [0, 1, 2].map((c) => mean(c).reduce((a, b) => a + b) / size) } };
    },
  }) },
};
"""
COLOURS = {"red": (250, 90, 9), "green": (60, 250, 9), "blue": (9, 40, 250)}
# Along rows first, as Pillow does for these; for the others the order depends on its version.
WIDE, HIGH = [(23, 17), (5, 4), (300, 211), (14, 9)], [(17, 31), (40, 90)]


@pytest.fixture
def site(chromium):
    """Open the pages of a folder, as a web server would give them."""
    contexts = []

    def serve(folder: Path, name: str, script: str = ""):
        context = chromium.new_context()
        contexts.append(context)
        context.add_init_script(script)

        def answer(route):
            path = folder / route.request.url.removeprefix(SITE)
            route.fulfill(path=path) if path.is_file() else route.fulfill(status=404)

        context.route(f"{SITE}**", answer)
        page = context.new_page()
        page.goto(SITE + name)
        return page

    yield serve
    for context in contexts:
        context.close()


def tensors(site, model, paths: list[Path]):
    """Have the program of a model prepare pictures."""
    folder = paths[0].parent
    (folder / "classify.js").write_text(web.write(model))
    (folder / "page.html").write_text("<!doctype html><meta charset=utf-8><script src=classify.js></script>")
    page = site(folder, "page.html")
    made = "async (name) => Array.from(prepare(await decode(await (await fetch(name)).blob())))"
    for path in paths:
        yield np.array(page.evaluate(made, path.name)).reshape(model.input.shape)


@pytest.mark.parametrize(
    ("fit", "colour", "filter", "layout", "dtype"),
    [
        ("crop", "rgb", "bilinear", "NHWC", "int8"),
        ("stretch", "bgr", "bilinear", "NHWC", "uint8"),
        ("pad", "grey", "hamming", "NHWC", "float32"),
        ("pad", "rgb", "box", "NCHW", "int8"),
        ("crop", "bgr", "hamming", "NCHW", "float32"),
    ],
)
def test_pixels_are_those_of_evaluation(site, tmp_path, fit, colour, filter, layout, dtype):
    made = rule(fit, colour, size=(9, 14), filter=filter, crop=0.875)
    model = deployment(made, taken(made, layout, dtype))
    pictures = [noise(*size) for size in WIDE + HIGH]
    paths = [tmp_path / f"{number}.png" for number, _ in enumerate(pictures)]
    for image, path in zip(pictures, paths, strict=True):
        image.save(path)
    # One grey level, which the passes' order may round to the other side.
    level = max(made.scale) / (model.input.scale or 1)
    for image, tensor in zip(pictures, tensors(site, model, paths), strict=True):
        right = model.input.fill(prepare.prepare(image, made)).astype(float)
        np.testing.assert_allclose(tensor, right, rtol=0, atol=0 if image.size in WIDE else max(level, 1))


def turned():
    image = noise(30, 20)
    image.getexif()[0x0112] = 6
    return image


@pytest.mark.parametrize(
    "image", [turned(), noise(30, 20, "RGBA"), noise(30, 20, "L")], ids=["turned", "alpha", "grey"]
)
def test_pictures_are_read_as_evaluation_reads_them(site, tmp_path, image):
    path = tmp_path / "picture.png"
    image.save(path, exif=image.getexif())
    made = rule("stretch", size=(9, 14), filter="bilinear", scale=(1.0,) * 3, offset=(0.0,) * 3)
    (tensor,) = tensors(site, deployment(made), [path])
    # Of a transparent picture, whose colours the browser keeps multiplied by their opacity; of a turned one, which is
    # tall.
    np.testing.assert_allclose(tensor[0], prepare.prepare(images.decode(path), made), rtol=0, atol=1)


@pytest.mark.data
def test_photographs_are_those_of_evaluation(site, data, tmp_path):
    made = rule("crop", size=(128, 128), filter="bilinear", crop=0.875, scale=(1.0,) * 3, offset=(0.0,) * 3)
    paths = []
    for number, path in enumerate(images.spread(images.find(data / "images"), 3)):
        paths.append(tmp_path / f"{number}.jpg")
        paths[-1].write_bytes(path.read_bytes())
    for path, tensor in zip(paths, tensors(site, deployment(made), paths), strict=True):
        np.testing.assert_allclose(tensor[0], prepare.prepare(images.decode(path), made), rtol=0, atol=1)


@pytest.fixture
def app(tmp_path):
    (tmp_path / "photos").mkdir()
    for number, (name, colour) in enumerate(COLOURS.items(), 1):
        Image.new("RGB", (20, 10 + number), colour).save(tmp_path / "photos" / f"{name}.png")
    (tmp_path / "labels.txt").write_text("red\ngreen\n<b>blue</b>\n")
    model = colour_model(tmp_path / "colours.onnx")
    return bundle(model, tmp_path / "photos", tmp_path / "app", "--labels", str(tmp_path / "labels.txt"))


def bundle(model, pictures, out, *words):
    with pytest.raises(SystemExit) as ended:
        cli.main(["bundle", str(model), "--out", str(out), "--pictures", str(pictures), "--for", "web", *words])
    assert ended.value.code == 0
    return out


def outcome(page) -> str:
    page.wait_for_selector("html[data-outcome]", timeout=120_000)
    return page.evaluate("document.documentElement.dataset.outcome")


def test_its_test_passes(site, app):
    assert outcome(site(app, "test.html", STAND_IN)) == "this folder works here"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("classify.js", "pixel = rgb[c]", "pixel = rgb[2 - c]"),
        ("classify.js", "SCALE = new Float32Array([0.00784", "SCALE = new Float32Array([0.00392"),
        ("labels.txt", "red\ngreen\n", "green\nred\n"),
    ],
    ids=["colours", "scale", "labels"],
)
def test_its_test_notices_what_is_wrong(site, app, file, old, new):
    text = (app / file).read_text()
    assert old in text
    (app / file).write_text(text.replace(old, new))
    assert "pictures are answered wrongly" in outcome(site(app, "test.html", STAND_IN))


def test_it_says_where_the_runtime_is_missing(site, app):
    assert "ort/ort.wasm.min.js is not there" in outcome(site(app, "test.html"))


def test_a_picture_is_answered(site, app):
    page = site(app, "index.html", STAND_IN)
    page.locator("input").set_input_files(app.parent / "photos" / "blue.png")
    page.locator("#state", has_text="blue.png").wait_for()
    answers = page.locator("#answers li").all_text_contents()
    # Of 9, 40 and 250 the means are -0.929, -0.686 and 0.961: exp(0.961) / (exp(-0.929) + exp(-0.686) + exp(0.961)). No
    # element is made of a label.
    assert (len(answers), answers[0]) == (3, "<b>blue</b>: 74.4 %")
    page.locator("input").set_input_files(app / "labels.txt")
    page.locator("#state", has_text="labels.txt could not be answered").wait_for()


@pytest.fixture(scope="module")
def runtime():
    folder = Path(os.environ.get("MNET_ORT_WEB") or "/nowhere")
    if not (folder / Path(web.ORT).name).is_file():
        pytest.skip(f"$MNET_ORT_WEB names no dist/ of onnxruntime-web {web.VERSION}; get it with npm pack")
    return folder


@pytest.mark.ortweb
def test_the_runtime_answers(site, app, runtime):
    (app / "ort").symlink_to(runtime)
    assert outcome(site(app, "test.html")) == "this folder works here"
    (app / "labels.txt").write_text("green\nred\nblue\n")
    assert outcome(site(app, "test.html")) == "3 of 3 pictures are answered wrongly"


@pytest.mark.data
@pytest.mark.ortweb
def test_the_runtime_answers_photographs(site, data, tmp_path, runtime):
    weights = data / "weights" / "mobilenet_2_5_128_tf.h5"
    build = ["build", "--alpha", "0.25", "--rho", "128", "--weights", str(weights), "--pixels=-1..1"]
    whole = ["export", str(tmp_path / "mobilenet_v1-a0.25-r128.keras"), "--labels", str(data / "labels.txt")]
    calibrated = ["--calibrate", str(data / "images"), "--count", "20", "--format", "onnx"]
    for words in ([*build, "--out", str(tmp_path)], [*whole, *calibrated, "--out", str(tmp_path)]):
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        assert ended.value.code == 0
    for precision in ("float32", "int8"):
        out = tmp_path / precision
        bundle(tmp_path / f"mobilenet_v1-a0.25-r128.{precision}.onnx", data / "images", out)
        (out / "ort").symlink_to(runtime)
        assert outcome(site(out, "test.html")) == "this folder works here"
