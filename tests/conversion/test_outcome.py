"""What an export found out, as records of its files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mobilenet_edge.conversion import outcome
from mobilenet_edge.conversion.pipeline import Files
from mobilenet_edge.conversion.search import Point, Search
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.contents import Contents
from mobilenet_edge.formats.metadata import Agreement, Metadata, Weights
from mobilenet_edge.records.export import LayerLoss
from mobilenet_edge.records.remark import Remark

ABOUT = Metadata("tiny", "int8", 4, 10, 5, Preprocess((8, 8)), Weights("random", 0))
LOSS = LayerLoss("conv1", "conv", 0.002, 0.001, 0.0, 6.0, 6 / 255, 0.0, 0.9, 0.5, 2, 8)
POINTS = (
    Point("", 0, 0.0, {"onnx": 1.0, "tflite": 0.9}, 0.93, 26.0),
    Point("conv1", 1, 0.07, {"onnx": 0.81, "tflite": 0.95}, 0.97, 27.0),
    Point("conv2", 2, 0.13, {"onnx": 0.75, "tflite": 0.99}),
)


def artifact(precision: str, kind: str = "onnx") -> Artifact:
    about = replace(ABOUT, precision=precision, agreement=Agreement(26.0, 0.95, 20, held_out=True))
    return Artifact(Path(f"out/tiny.{precision}.{kind}"), kind, precision.encode(), about, Contents({}, (), (), (), {}))


def test_each_file_has_what_is_of_its_precision_and_format() -> None:
    files = Files([artifact("float32"), artifact("int8"), artifact("mixed"), artifact("mixed", "tflite")])
    files.losses, files.remarks = (LOSS,), (Remark("few-calibration-images", count=10, enough=30),)
    host = {"cpu": "Cortex-A72", "before": {"load": 1.0}, "after": {}}
    timed: Any = SimpleNamespace(runtime="one", runtime_version="2", threads=1, host=host)
    chosen: Any = {kind: SimpleNamespace(cut="conv1") for kind in ("onnx", "tflite")}
    files.search = Search(chosen, POINTS, {"onnx": 2.0, "tflite": 1.5}, 0.97, 200, 20, {"onnx": timed, "tflite": timed})
    float32, int8, onnx, tflite = outcome.records(files)
    assert [bool(each.losses) for each in (float32, int8, onnx, tflite)] == [False, True, False, False]
    assert [bool(each.remarks) for each in (float32, int8, onnx, tflite)] == [False, True, True, True]
    assert float32.division is int8.division is None
    assert int8.agreement is not None
    assert (int8.agreement["snr_db"], int8.agreement["held_out"]) == (26.0, True)
    assert onnx.division is not None
    assert tflite.division is not None
    assert [cut.ms for cut in onnx.division.cuts] == [1.0, 0.81, 0.75]
    assert [cut.agreement for cut in tflite.division.cuts] == [0.93, 0.97, None]
    assert (tflite.division.float32_ms, tflite.division.host) == (1.5, {"cpu": "Cortex-A72"})


def test_a_mixed_file_without_a_search_has_no_curve() -> None:
    (found,) = outcome.records(Files([artifact("mixed")]))
    assert found.division is None
