"""classify.cc, compiled here, makes the pixels of `data.prepare`."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge.bundle import cpp
from mobilenet_edge.data import prepare
from mobilenet_edge.errors import UsageError
from mobilenet_edge.evaluation.head import Head
from tests.bundle.conftest import ARTIFACT, deployment
from tests.bundle.test_script import noise, rule, taken

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("g++"), reason="g++ is not installed"),
]
# The tensor of a picture on stdout; the functions of LiteRT are not called.
DUMP = """
#define main classify_main
#include "classify.cc"
#undef main
int main(int, char** arguments) {
  const std::vector<Input> tensor = prepare(read_ppm(arguments[1]));
  std::fwrite(tensor.data(), sizeof(Input), tensor.size(), stdout);
}
"""
LITERT = Path(str(find_spec("ai_edge_litert").origin)).parent
FLAGS = ("-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off")
LINKS = ("-L", LITERT, "-lLiteRt", f"-Wl,-rpath,{LITERT}")


def tflite(model):
    return replace(model, artifact=replace(ARTIFACT, format="tflite"))


def tensors(model, images: list[Image.Image], place: Path):
    """Compile the program of a model and have it prepare pictures."""
    (place / "classify.cc").write_text(cpp.write(tflite(model), 3, "float32"))
    (place / "dump.cc").write_text(DUMP)
    subprocess.run(["g++", *FLAGS, "dump.cc", "-o", "dump", *LINKS], cwd=place, check=True, timeout=300)
    for image in images:
        image.save(place / "picture.ppm")
        data = subprocess.run([place / "dump", place / "picture.ppm"], check=True, capture_output=True).stdout
        yield np.frombuffer(data, model.input.dtype).reshape(model.input.shape)


# Along rows first, as Pillow does for these; for the others the order depends on its version.
WIDE, HIGH = [(23, 17), (5, 4), (300, 211), (14, 9)], [(17, 31), (40, 90)]


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
def test_pixels_are_those_of_evaluation(tmp_path, fit, colour, filter, layout, dtype):
    made = rule(fit, colour, size=(9, 14), filter=filter, crop=0.875)
    model = deployment(made, taken(made, layout, dtype))
    images = [noise(*size) for size in WIDE + HIGH]
    # One grey level, which the passes' order may round to the other side.
    level = max(made.scale) / (model.input.scale or 1)
    for image, tensor in zip(images, tensors(model, images, tmp_path), strict=True):
        right = model.input.fill(prepare.prepare(image, made)).astype(float)
        np.testing.assert_allclose(tensor, right, rtol=0, atol=0 if image.size in WIDE else max(level, 1))


def test_what_it_is_not_written_for():
    for filter in ("nearest", "bicubic", "lanczos"):
        with pytest.raises(UsageError, match=filter):
            cpp.write(tflite(deployment(rule(filter=filter))), 3, "float32")
    with pytest.raises(UsageError, match="several labels"):
        cpp.write(tflite(deployment(head=Head.labels)), 3, "float32")
    with pytest.raises(UsageError, match=r"\.tflite"):
        cpp.write(deployment(), 3, "float32")
