"""All files of a graph: integers are solved in a thread, and the files tell whether they agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.conversion.assembly import Assembly, Settings
from mobilenet_edge.conversion.origin import describe
from mobilenet_edge.conversion.samples import Samples
from mobilenet_edge.errors import BuildError
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise import solve, synthetic

pytest.importorskip("onnxruntime")


def values(*shape: int) -> np.ndarray:
    return np.asarray(np.random.default_rng(0).normal(size=shape), np.float32)


def graph() -> Graph:
    nodes = (
        Node("conv", "conv", ("image",), (4, 4, 8), values(1, 1, 3, 8), values(8), 2, activation="relu6"),
        Node("pool", "mean", ("conv",), (8,)),
        Node("head", "dense", ("pool",), (5,), values(8, 5), values(5)),
        Node("predictions", "softmax", ("head",), (5,)),
    )
    return Graph("tiny", "image", (8, 8, 3), nodes)


def assembly(made: Graph, out: Path, *precisions: str, source: str = "images") -> Assembly:
    about = replace(describe(made, "tiny", "tiny.keras"), target="generic")
    samples = Samples(synthetic.images(40, made.input_shape), source).hold_out()
    return Assembly(made, about, samples, Settings(("onnx", "tflite"), precisions, out))


@pytest.mark.parametrize(("source", "precision"), [("images", "int8"), ("synthetic", "int8"), ("images", "float32")])
def test_only_int8_files_that_saw_images_say_how_often_they_agree(source, precision, tmp_path):
    made = assembly(graph(), tmp_path, precision, source=source)
    assert len(list(made.write())) == 2
    if (source, precision) == ("images", "int8"):
        assert made.mutual is not None
        assert 0.8 <= made.mutual <= 1
        made._answers[1] = made._answers[1] - 1
        assert made.mutual == 0
    else:
        assert made.mutual is None


def test_float_files_are_there_where_integers_cannot_be_solved(tmp_path, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise BuildError("layer 'conv' gives NaN")

    monkeypatch.setattr(solve, "solve", fail)
    files = assembly(graph(), tmp_path, "float32", "int8").write()
    assert [next(files).path.suffix for _ in range(2)] == [".onnx", ".tflite"]
    with pytest.raises(BuildError, match="layer 'conv' gives NaN"):
        next(files)
