"""Small model files of every format, made from a folded graph by hand."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO

import numpy as np
import pytest

from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.formats.metadata import Agreement, Calibration, Metadata, Quantisation, Weights
from mobilenet_edge.formats.onnx.write import float_onnx, int8_onnx
from mobilenet_edge.formats.tflite.write import float_tflite, int8_tflite
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.quantise import SOFTMAX_GRID, QuantisedGraph, QuantParams
from mobilenet_edge.quantise import Weights as Integers

SAME = ((0, 1), (0, 1))
ABOUT = Metadata(
    variant="mobilenet_v1-a0.25-r32-c3",
    precision="int8",
    classes=3,
    macs=1234,
    parameters=567,
    preprocess=Preprocess((32, 32)),
    weights=Weights("random", seed=1, sha256="ab" * 32),
    spec=ModelSpec(0.25, 32, 3),
    io="int8",
    input=Quantisation(1 / 127.5, -1),
    output=Quantisation(1 / 256, -128),
    scheme="int8, weights per channel",
    calibration=Calibration("synthetic", 8, "cd" * 32, "min-max", "synthetic calibration; accuracy unknown"),
    agreement=Agreement(31.5, 1.0, 8),
    labels=("tench", "gold fish, Carassius", "größer hai"),
    tools={"mobilenet-edge": "0.1.0"},
)


def quantised() -> QuantisedGraph:
    random = np.random.default_rng(5)

    def normal(*shape):
        return random.normal(size=shape).astype(np.float32)

    nodes = (
        Node("conv1", "conv", ("image",), (4, 4, 4), normal(3, 3, 3, 4), normal(4), 2, SAME, "relu6"),
        Node("dw", "depthwise", ("conv1",), (4, 4, 4), normal(3, 3, 4), normal(4), 1, ((1, 1), (1, 1)), "relu6"),
        Node("sum", "add", ("conv1", "dw"), (4, 4, 4), activation="relu"),
        Node("pool", "mean", ("sum",), (4,)),
        Node("head", "dense", ("pool",), (3,), normal(4, 3), normal(3)),
        Node("predictions", "softmax", ("head",), (3,)),
    )
    graph = Graph("mobilenet_v1-a0.25-r32-c3", "image", (8, 8, 3), nodes)
    grids = {name: QuantParams.from_range(0, 6) for name in ("conv1", "dw", "pool")}
    grids |= {
        "image": QuantParams.from_range(-1, 1),
        "sum": QuantParams.from_range(0, 12),
        "head": QuantParams.from_range(-9, 9),
    }
    weights = {}
    for node in graph.weighted():
        scales = np.abs(node.kernel).reshape(-1, node.kernel.shape[-1]).max(0) / np.float32(127)
        integers = np.rint(node.kernel / scales).astype(np.int8)
        bias = np.rint(node.offset / scales / np.float32(grids[node.inputs[0]].scale)).astype(np.int32)
        weights[node.name] = Integers(integers, scales, bias)
    return QuantisedGraph(graph, {**grids, "predictions": SOFTMAX_GRID}, weights)


def keras_file() -> bytes:
    layers = [
        {"class_name": "InputLayer", "config": {"name": "image"}},
        {"class_name": "Functional", "config": {"layers": [{"class_name": "Conv2D", "config": {"name": "conv1"}}]}},
        {"class_name": "Dense", "config": {"name": "head"}},
    ]
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in (
            ("metadata.json", "{}"),
            ("config.json", json.dumps({"class_name": "Functional", "config": {"layers": layers}})),
            ("model.weights.h5", b"\x89HDF" + bytes(500)),
        ):
            file.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def about() -> Metadata:
    """Metadata with every field set."""
    return ABOUT


@pytest.fixture(scope="session")
def plain() -> dict[str, bytes]:
    """Files without metadata, by name."""
    made = quantised()
    return {
        "float.tflite": float_tflite(made.graph),
        "int8.tflite": int8_tflite(made),
        "float.onnx": float_onnx(made.graph),
        "int8.onnx": int8_onnx(made),
        "model.keras": keras_file(),
    }
