"""What is said of a file on a microcontroller."""

from __future__ import annotations

from mobilenet_edge.conversion.micro.boards import Board
from mobilenet_edge.conversion.micro.fit import Fit
from mobilenet_edge.conversion.micro.footprint import Footprint
from mobilenet_edge.formats.contents import Contents, Operator
from mobilenet_edge.model import mlperf
from mobilenet_edge.report import microcontroller, notes
from mobilenet_edge.report.rows import Row

BOARD = Board("mine", "ABC1", "Cortex-M4, 100 MHz", 2_000_000, 100_000, "github.com/me", "of 200 kB one half")
CONV = Contents({}, (Operator("CONV_2D", (), ("a",)), Operator("SOFTMAX", (), ("b",))), (), (), {})


def text(taken: Footprint | None, refusal: str = "", board: Board | None = BOARD, published=()) -> str:
    return " ".join(microcontroller.text(Fit(CONV, taken, refusal, board, published).to_dict()).split())


def test_a_file_that_fits():
    said = text(Footprint(300_000, 65_536, "tflite-micro 1"))
    assert "it has 2 of 2 operators" in said
    assert "Arena: 65,536 bytes, the least with which tflite-micro 1" in said
    assert "mine: ABC1, Cortex-M4, 100 MHz (of 200 kB one half). It fits." in said
    assert "| RAM | 65.5 kB | 100.0 kB | yes |" in said
    assert "Code, stack and variables are not counted" in said
    assert "github.com/me" in said


def test_a_file_that_does_not():
    said = text(Footprint(3_000_000, 165_536, "tflite-micro 1"))
    assert "It lacks flash and RAM there." in said
    assert "| flash | 3.00 MB | 2.00 MB | no |" in said


def test_a_refusal_leaves_no_figures():
    said = text(None, "Hybrid models are not supported")
    assert "Its interpreter was not run, or not to the end: Hybrid models are not supported." in said
    assert "Arena" not in said
    assert "mine" not in said


def test_published_rows_are_called_that():
    said = text(Footprint(1, 1, "x"), published=mlperf.results(mlperf.SHAPE, "ek-ra8d1"))
    # 1000 / 74.665
    assert (
        "Published by MLPerf Tiny for this shape on this board, with its own weights: 13.4 ms with TensorFlow" in said
    )


def test_a_table_of_the_shape_notes_what_was_published(profile):
    made = profile(variant="mobilenet_v1-a0.25-r96-c2", precision="int8")
    (note,) = [note for note in notes.notes([Row(made, profile=made)]) if "MLPerf" in note]
    # 1000 / 11.245
    assert "NUCLEO-L4R5ZI 88.9 ms (X-CUBE-AI 9.0, v1.2)" in note
