"""Pictures from file to answer: mnet's own tensors, the parts of the time, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.preprocess import COLOURS, FITS, Preprocess
from mobilenet_edge.device import picture, stages
from mobilenet_edge.device.faults import DeviceError, InvalidModel, RequestError
from mobilenet_edge.device.runtimes import TensorInfo
from mobilenet_edge.device.worker import Request
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.hosts.local import Local

SCALE, OFFSET = (0.5, 0.25, 2.0), (-3.0, 1.0, 7.0)
LAYOUTS = (
    ((1, 4, 6), "float32", None, None), ((4, 6, 1), "float32", None, None), ((4, 6, 1), "int8", 0.5, -3),
    ((1, 4, 6), "uint8", 3.0, 100),
)  # fmt: skip


def encoded(width: int = 60, height: int = 40, kind: str = "JPEG", mode: str = "RGB") -> bytes:
    """Noise, turned upside down by its EXIF data."""
    shape = (height, width, 3) if mode == "RGB" else (height, width, 4)
    image = Image.fromarray(np.random.default_rng(width).integers(0, 256, shape, np.uint8), mode)
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x0112] = 3
    image.save(out, kind, exif=exif)
    return out.getvalue()


def packed(rule: Preprocess, taken: ImageInput) -> dict[str, Any]:
    """What a device is told, after the way through JSON."""
    layout = {"channels_first": taken.channels_first, **{k: asdict(taken)[k] for k in ("dtype", "scale", "zero_point")}}
    told = {"rule": {k: v for k, v in asdict(rule).items() if k not in ("origin", "evidence")}, "layout": layout}
    return dict(json.loads(json.dumps(told)))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("fit", FITS)
def test_the_tensor_is_that_of_mnet(fit: Any, colour: Any, layout: Any, tmp_path: Path):
    axes, dtype, scale, zero_point = layout
    channels = 1 if colour == "grey" else 3
    rule = Preprocess(
        (4, 6), colour, fit, 0.8, "bicubic", SCALE[:channels], OFFSET[:channels], pad=(10, 20, 30)
    )  # fmt: skip
    taken = ImageInput("m", (1, *(channels if side == 1 else side for side in axes)), dtype, scale, zero_point)
    made = stages.Stages(picture, packed(rule, taken))  # type: ignore[arg-type]
    for data in (encoded(), encoded(31, 77, "PNG", "RGBA")):
        (tmp_path / "picture").write_bytes(data)
        own = taken.fill(prepare.prepare(images.decode(tmp_path / "picture"), rule))
        tensor = made.tensor(made.fit("picture", data))
        assert (tensor.shape, tensor.dtype) == (own.shape, own.dtype)
        np.testing.assert_array_equal(tensor, own)
        np.testing.assert_array_equal(tensor, by_hand(data, rule, taken))


def by_hand(data: bytes, rule: Preprocess, taken: ImageInput) -> Any:
    """The same tensor by Pillow and the words of the documentation."""
    image = Image.open(io.BytesIO(data))
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    image = image.rotate(180).convert("RGB")
    (height, width), (columns, rows) = rule.size, image.size
    if rule.fit == "crop":
        across = rule.crop * min(columns, rows * width / height)
        down = across * height / width
        box = ((columns - across) / 2, (rows - down) / 2, (columns + across) / 2, (rows + down) / 2)
        fitted = image.resize((width, height), Image.Resampling.BICUBIC, box=box)
    elif rule.fit == "stretch":
        fitted = image.resize((width, height), Image.Resampling.BICUBIC)
    else:
        part = min(width / columns, height / rows)
        inner = image.resize((round(columns * part), round(rows * part)), Image.Resampling.BICUBIC)
        fitted = Image.new("RGB", (width, height), rule.pad)
        fitted.paste(inner, ((width - inner.width) // 2, (height - inner.height) // 2))
    pixels = np.asarray(fitted.convert("L"))[..., None] if rule.colour == "grey" else np.asarray(fitted)
    pixels = pixels[..., ::-1] if rule.colour == "bgr" else pixels
    real = pixels * np.array(rule.scale, np.float32) + np.array(rule.offset, np.float32)
    laid_out = real.transpose(2, 0, 1)[None] if taken.channels_first else real[None]
    if taken.scale:
        ends = np.iinfo(taken.dtype)
        laid_out = np.clip(np.round(laid_out / taken.scale + taken.zero_point), ends.min, ends.max)
    return laid_out.astype(taken.dtype)


def test_the_best_classes_are_real_numbers_and_the_lower_index_comes_first():
    session: Any = SimpleNamespace(outputs=(TensorInfo("y", (1, 7), "uint8", 0.5, 10),))
    found = stages.best(np.array([[10, 200, 30, 200, 0, 20, 40]], np.uint8), session)
    # (200 - 10) * 0.5 = 95, and so on; zero lies below the zero point.
    assert found == [(1, 95.0), (3, 95.0), (6, 15.0), (2, 10.0), (5, 5.0)]


def test_the_ways_are_those_that_are_installed(monkeypatch: pytest.MonkeyPatch):
    def only(*names: str) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: name if name in names else None)

    only("PIL", "cv2")
    assert stages.ways(Request("ways")) == {"ways": ["pillow", "opencv"]}
    only("cv2")
    assert stages.ways(Request("ways")) == {"ways": ["opencv"]}
    only()
    with pytest.raises(DeviceError, match=r"neither Pillow nor OpenCV .* -m pip install pillow$"):
        stages.ways(Request("ways"))


def test_what_cannot_be_timed_is_refused():
    with pytest.raises(RequestError, match="needs pictures, preprocess and a way, one of pillow, opencv"):
        stages.run(Request("stages", "m.tflite"))
    told = packed(Preprocess((4, 6)), ImageInput("m", (1, 4, 6, 3), "float32"))
    made = stages.Stages(picture, told)  # type: ignore[arg-type]
    with pytest.raises(DeviceError, match=r"^0-cat\.png cannot be decoded \(.*\); leave it out$"):
        made.fit("0-cat.png", b"no picture")
    several: Any = SimpleNamespace(inputs=(1, 2), outputs=(1,))
    with pytest.raises(InvalidModel, match="2 inputs and 1 outputs"):
        made.check(several)


def test_a_library_that_cannot_be_loaded_is_named():
    def title(_: Any) -> dict[str, str]:
        raise ImportError("libGL.so.1: cannot open shared object file")

    broken: Any = SimpleNamespace(title=title)
    with pytest.raises(DeviceError, match=r"^cv2 cannot be loaded \(libGL.*\); .* opencv-python-headless$"):
        stages._load(broken, Preprocess((4, 6)), "cv2")


@pytest.mark.slow
def test_a_worker_times_each_part_and_compares(make_onnx: Callable[..., Path], tmp_path: Path):
    model = make_onnx((1, 8, 8, 3))
    rule = Preprocess((8, 8), scale=(1.0,) * 3, offset=(0.0,) * 3)
    data = [encoded(40 + number, 30) for number in range(3)]
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        for number, each in enumerate(data):
            archive.writestr(f"{number}.jpg", each)
    own = np.stack([prepare.fit(Image.open(io.BytesIO(each)), rule) for each in data])
    own[1, 0, 0, 0] ^= 16  # one value of 576 differs by 16 levels
    np.save(tmp_path / "own.npy", own)
    request = {
        "mode": "stages", "way": "pillow", "preprocess": packed(rule, ImageInput("m", (1, 8, 8, 3), "float32")),
        "warmup": {"runs": 2}, "steady": {"runs": 7},
    }  # fmt: skip
    files = {"artifact": model, "pictures": tmp_path / "pictures.zip", "inputs": tmp_path / "own.npy"}
    found = Local().run(request, files, limit_seconds=300)
    assert (found["pictures"], len(found["times_ns"]), found["runtime"]) == (3, 7, "onnxruntime")
    assert all(len(lap) == 4 and min(lap) > 0 for lap in (found["first_ns"], *found["times_ns"]))
    assert found["library"] == "Pillow"
    # The model adds one, and the tensor is that of the pixels.
    np.testing.assert_array_equal(np.array(found["own_outputs"]).reshape(own.shape) - 1, own)
    own[1, 0, 0, 0] ^= 16
    np.testing.assert_array_equal(np.array(found["outputs"]).reshape(own.shape) - 1, own)
    assert (found["max_difference"], found["equal"]) == (16, 2)
    assert found["mean_difference"] == pytest.approx(16 / 576)
