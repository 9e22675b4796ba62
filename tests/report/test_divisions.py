"""The table of a search for mixed files, and what is said of those files beside int8 ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mobilenet_edge.conversion.search import Point, Search
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.contents import Contents
from mobilenet_edge.formats.metadata import Agreement, Metadata, Weights
from mobilenet_edge.report import divisions

ABOUT = Metadata("tiny", "int8", 4, 10, 5, Preprocess((8, 8)), Weights("random", 0))
POINTS = (
    Point("", 0, 0.0, {"onnx": 1.0}, 0.93, 26.0),
    Point("conv1", 1, 0.07, {"onnx": 0.81}),
    Point("conv2", 2, 0.13, {"onnx": 0.75}, 0.975, 29.6),
)


def found(float32_ms: float = 2.0, wanted: float = 0.97) -> Search:
    chosen: Any = {"onnx": SimpleNamespace(cut="conv2")}
    return Search(chosen, POINTS, {"onnx": float32_ms}, wanted, 200, 20)


def artifact(precision: str, snr_db: float) -> Artifact:
    about = replace(ABOUT, precision=precision, agreement=Agreement(snr_db, 0.95, 20))
    return Artifact(Path(f"out/tiny.{precision}.onnx"), "onnx", b"x", about, Contents({}, (), (), (), {}))


def test_the_table_marks_what_was_chosen_and_leaves_open_what_was_not_tried() -> None:
    rows = [line.split("|") for line in divisions.table(found()).splitlines() if " ms " in line]
    cells = [[cell.strip() for cell in row[1:-1]] for row in rows]
    assert cells[0] == ["0", "", "0%", "1.00 ms", "93.0%", "26.0 dB", ""]
    assert cells[1] == ["1", "conv1", "7%", "0.81 ms", "", "", ""]
    assert cells[2] == ["2", "conv2", "13%", "0.75 ms", "97.5%", "29.6 dB", ".onnx"]


def test_simpler_files_that_would_do_are_named() -> None:
    assert "float32 .onnx is no slower" not in divisions.table(found())
    assert "float32 .onnx is no slower" in divisions.table(found(float32_ms=0.7))
    assert "int8 alone" not in divisions.table(found())
    assert "int8 alone" in divisions.table(found(wanted=0.92))


def test_a_mixed_file_is_compared_with_its_int8_sibling() -> None:
    files = [artifact("int8", 26.0), artifact("mixed", 29.6)]
    (line,) = divisions.compare(files, found())
    assert "29.6 against 26.0 dB" in line
    assert "0.75 against 1.00 ms" in line
    (line,) = divisions.compare(files, None)
    assert " ms" not in line
    assert list(divisions.compare([artifact("int8", 30.0), artifact("mixed", 29.6)], None)) == []
    assert list(divisions.compare(files[1:], None)) == []


def test_without_a_sibling_int8_is_what_the_search_measured() -> None:
    (line,) = divisions.compare([artifact("mixed", 29.0)], found())
    assert line == (
        "tiny.mixed.onnx, compared with int8, is nearer to the float model (29.6 against 26.0 dB on views of held-out "
        "pictures) and faster by estimate (0.75 against 1.00 ms)."
    )
