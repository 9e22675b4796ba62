"""What a file takes against what a board has."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilenet_edge.conversion.micro import fit, footprint
from mobilenet_edge.conversion.micro.boards import Board
from mobilenet_edge.conversion.micro.footprint import Footprint
from mobilenet_edge.device.runtimes import Runtime
from mobilenet_edge.errors import BuildError, MissingExtraError
from mobilenet_edge.formats.contents import Contents, Operator
from mobilenet_edge.model.spec import ModelSpec

BOARD = Board("mine", "ABC1", "Cortex-M4", 1000, 500, "github.com/me")
CONV = Contents({}, (Operator("CONV_2D", (), ("a",)), Operator("CONV_2D", (), ("b",))), (), (), {})


@pytest.mark.parametrize(
    ("flash", "arena", "lacks"),
    [(1000, 500, ()), (1001, 500, ("flash",)), (1000, 501, ("RAM",)), (1001, 501, ("flash", "RAM"))],
)
def test_a_memory_that_is_just_large_enough_is_enough(flash: int, arena: int, lacks: tuple[str, ...]):
    assert Footprint(flash, arena, "tflite-micro 1").lacks(BOARD) == lacks


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Runtime, "installed", lambda self: self.name != "tflm")


@pytest.mark.usefixtures("absent")
def test_without_the_wheel_the_next_step_is_told():
    with pytest.raises(MissingExtraError, match=r"interpreter of tflite-micro; install it with: .*edge\[tflm\]'"):
        footprint.measure(Path("a.tflite"), b"")


@pytest.mark.usefixtures("absent")
def test_without_the_wheel_operators_are_listed_but_no_board_is_judged():
    found = fit.check(Path("a.tflite"), b"", CONV, None).to_dict()
    assert (found["mapped"], found["total"], found["arena_bytes"]) == (2, 2, None)
    assert "mobilenet-edge[tflm]" in found["refusal"]
    with pytest.raises(MissingExtraError):
        fit.check(Path("a.tflite"), b"", CONV, None, BOARD)


def test_a_file_is_held_to_a_board(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(footprint, "measure", lambda path, data: Footprint(900, 600, "tflite-micro 1"))
    found = fit.check(Path("a.tflite"), b"", CONV, None, BOARD).to_dict()
    assert (found["lacks"], found["flash_bytes"], found["arena_bytes"]) == (["RAM"], 900, 600)
    assert found["board"]["ram_bytes"] == 500


def test_an_operator_that_is_not_there_is_not_tried(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(footprint, "measure", None)
    other = Contents({}, (*CONV.operators, Operator("GELU", (), ("c",))), (), (), {})
    found = fit.check(Path("a.tflite"), b"", other, None, BOARD).to_dict()
    assert (found["mapped"], found["total"], found["lacks"]) == (2, 3, None)
    assert [op["reason"] for op in found["ops"]] == ["", "", fit.NO_KERNEL]


def test_a_refusal_of_the_interpreter_is_told(monkeypatch: pytest.MonkeyPatch):
    def measure(path: Path, data: bytes) -> Footprint:
        raise BuildError("Hybrid models are not supported on TFLite Micro")

    monkeypatch.setattr(footprint, "measure", measure)
    found = fit.check(Path("a.tflite"), b"", CONV, None, BOARD)
    assert (found.refusal, found.lacks) == ("Hybrid models are not supported on TFLite Micro", None)


def test_published_rows_are_those_of_the_shape_and_the_board(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(footprint, "measure", lambda path, data: Footprint(1, 1, "tflite-micro 1"))
    board = Board("nucleo-h7a3zi-q", "ABC1", "Cortex-M7", 1000, 500, "github.com/me")
    found = fit.check(Path("a.tflite"), b"", CONV, ModelSpec(0.25, 96, 2), board).to_dict()
    # 1000 / 42.009 inferences a second
    assert [(row["board"], round(row["ms"], 3)) for row in found["published"]] == [("NUCLEO-H7A3ZI-Q", 23.804)]
    assert fit.check(Path("a.tflite"), b"", CONV, ModelSpec(0.25, 128, 2), board).published == ()
