"""The check of mixed files: as many float layers as were meant, and integers behind them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.conversion import verify
from mobilenet_edge.conversion.verify import Reference
from mobilenet_edge.errors import BuildError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.onnx import write as onnx
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.graph.run import run
from mobilenet_edge.quantise import partition, synthetic
from mobilenet_edge.quantise.partition import MixedGraph
from mobilenet_edge.quantise.solve import EFFORTS, INPUT_GRID

WRITE: dict[str, Any] = {"tflite": tflite.mixed_tflite, "onnx": onnx.mixed_onnx}


def conv(name: str, source: str, inputs: int, seed: int) -> Node:
    random = np.random.default_rng(seed)
    weight, bias = random.normal(size=(1, 1, inputs, 8)) / inputs**0.5, random.normal(size=8)
    arrays = (np.asarray(each, np.float32) for each in (weight, bias))
    return Node(name, "conv", (source,), (6, 6, 8), *arrays, activation="relu6")


@pytest.fixture(scope="module")
def graph() -> Graph:
    layers = conv("a", "image", 3, 0), conv("b", "a", 8, 1), conv("c", "b", 8, 2)
    return Graph("tiny", "image", (6, 6, 3), (*layers, Node("pool", "mean", ("c",), (8,))))


@pytest.fixture(scope="module")
def mixed(graph: Graph) -> MixedGraph:
    images = synthetic.images(20, graph.input_shape)
    return partition.quantise(graph, "a", images, EFFORTS["fast"], INPUT_GRID, run)


def check(kind: str, data: bytes, mixed: MixedGraph, graph: Graph) -> Any:
    return verify.mixed_file(kind, data, data, mixed, Reference.of(graph, synthetic.images(4, (6, 6, 3)), real=True))


@pytest.mark.parametrize("kind", WRITE)
def test_a_file_as_it_was_meant_passes(kind: str, mixed: MixedGraph, graph: Graph) -> None:
    assert check(kind, WRITE[kind](mixed), mixed, graph).snr_db > 25


@pytest.mark.parametrize("kind", WRITE)
def test_another_number_of_float_layers_is_refused(kind: str, mixed: MixedGraph, graph: Graph) -> None:
    meant = replace(mixed, front=partition.split(graph, "b")[0])
    with pytest.raises(BuildError, match="has 1 float layers before its integers, not 2"):
        check(kind, WRITE[kind](mixed), meant, graph)
    floats = {"tflite": tflite.float_tflite, "onnx": onnx.float_onnx}[kind](graph)
    with pytest.raises(BuildError, match="has 3 float layers"):
        check(kind, floats, mixed, graph)


@pytest.mark.parametrize("kind", WRITE)
def test_a_float_layer_behind_the_integers_is_refused(kind: str, mixed: MixedGraph) -> None:
    contents = artifact.READERS[kind].contents(WRITE[kind](mixed))
    weighted = [operator for operator in contents.operators if operator.kind in ("CONV_2D", "Conv")]
    # The first, which is float, once more at the end.
    again = replace(contents, operators=(*contents.operators, weighted[0]))
    verify.mixed_at(contents, kind, 1)
    with pytest.raises(BuildError, match="works on floats"):
        verify.mixed_at(again, kind, 1)
