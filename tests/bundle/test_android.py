"""Classifier.kt is short and takes the region of `device.picture`; what MediaPipe refuses is refused with a way out."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mobilenet_edge.bundle import android
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.device import picture
from mobilenet_edge.errors import UsageError
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.formats.contents import Contents, Tensor
from mobilenet_edge.formats.tflite.description import Description
from tests.bundle.conftest import ARTIFACT, deployment

TFLITE = replace(ARTIFACT, format="tflite")
# -1..1: (pixel - 127.5) / 127.5.
SIGNED = Description((127.5,), (127.5,), "labels.txt")


@pytest.fixture(autouse=True)
def says(monkeypatch):
    """What the metadata of the file says."""

    def say(about):
        monkeypatch.setattr(android.description, "read", lambda _: about)

    say(SIGNED)
    return say


def write(rule=None, **others):
    return android.write(deployment(rule or Preprocess((8, 8)), artifact=TFLITE, **others))


@pytest.mark.parametrize("rule", [Preprocess((128, 96)), Preprocess((8, 8), fit="stretch", filter="box")])
def test_the_programs_are_short(rule):
    texts = [write(rule).splitlines(), android.pixels(rule).splitlines()]
    assert max(map(len, texts)) < 80
    assert max(len(line) for lines in texts for line in lines) <= 120
    assert f'//     implementation("com.google.mediapipe:tasks-vision:{android.VERSION}")' in texts[0]
    assert f"private const val WIDTH = {rule.size[1]}" in texts[1]


@pytest.mark.parametrize("crop", [0.875, 1.0])
@pytest.mark.parametrize("size", [(640, 480), (480, 640), (512, 512), (3, 1000)])
def test_its_region_is_that_of_evaluation(crop, size):
    rule = Preprocess((128, 96), crop=crop)
    # The two lines of Kotlin, as Python's.
    text = re.sub(r"if \(wide\) (.*) else", r"\1 if wide else", android.pixels(rule)).replace(".toDouble()", "")
    names = {"width": size[0], "height": size[1], "WIDTH": 96, "HEIGHT": 128, "wide": size[0] * 128 > size[1] * 96}
    found = [eval(re.search(f"val {name} = (.*)", text)[1], names) for name in ("across", "down")]
    left, top, right, bottom = picture.centre(size, rule)
    assert found == pytest.approx([right - left, bottom - top])


BYTES = ImageInput("m", (1, 8, 8, 3), "uint8", 1 / 127.5, 128)


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({"head": Head.logits}, "logits.*--for cpp"),
        ({"head": Head.labels}, "labels.*--for pi"),
        ({"rule": Preprocess((8, 8), "bgr")}, "not of bgr; take --for cpp"),
        ({"rule": Preprocess((8, 8), "grey", scale=(1.0,), offset=(0.0,))}, "not of grey; take --for cpp"),
        ({"rule": Preprocess((8, 8), fit="pad")}, "bars.*--for cpp"),
        ({"rule": Preprocess((8, 8), filter="lanczos")}, "the filter lanczos; take --for pi"),
        ({"rule": Preprocess((8, 8), scale=(1.0, 1.0, 0.5))}, "all channels alike.*--for cpp"),
        ({"rule": Preprocess((8, 8), scale=(-1.0,) * 3)}, "upwards.*--for cpp"),
        ({"taken": ImageInput("m", (1, 3, 8, 8), "float32")}, "channels before rows"),
        # 0..1 by the rule, where the file says -1..1.
        ({"rule": Preprocess((8, 8), scale=(1 / 255,) * 3, offset=(0.0,) * 3)}, "says other pixels.*--pixels"),
        ({"rule": Preprocess((8, 8), scale=(1 / 255,) * 3, offset=(0.0,) * 3), "taken": BYTES}, "says other pixels"),
    ],
)
def test_what_mediapipe_does_not_take_is_refused(others, reason):
    with pytest.raises(UsageError, match=reason):
        write(**others)


def test_metadata_is_needed(says):
    says(None)
    with pytest.raises(UsageError, match=r"no TFLite Metadata.*mnet export"):
        write()
    says(Description())
    with pytest.raises(UsageError, match="says other pixels"):
        write()


@pytest.mark.parametrize("about", [SIGNED, Description((127.5,) * 3, (127.5,) * 3)])
def test_what_it_takes(says, about):
    says(about)
    assert "MediaPipe" in write()
    # One step lies between the zero of a uint8 grid and that of -1..1.
    assert "MediaPipe" in write(taken=BYTES)


@pytest.mark.parametrize(("form", "dtype", "reason"), [("tflite", "int8", "--io uint8"), ("onnx", "float32", "onnx")])
def test_other_ends_are_refused(form, dtype, reason):
    tensors = {name: Tensor(name, (1, 3), dtype) for name in ("image", "scores")}
    contents = Contents(tensors, ("image",), ("scores",), (), {})
    with pytest.raises(UsageError, match=reason):
        android.require_ends(replace(ARTIFACT, format=form, contents=contents))
