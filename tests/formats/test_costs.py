from __future__ import annotations

from typing import Any

import pytest

from mobilenet_edge.formats import costs
from mobilenet_edge.formats.contents import Contents, Operator, Tensor
from mobilenet_edge.formats.costs import Cost
from mobilenet_edge.formats.onnx import read as onnx
from mobilenet_edge.formats.tflite import read as tflite

# conv1: 3 x 3 x 3 x 4 weights, each for 4 x 4 pixels; dw: 3 x 3 x 4; head: 4 x 3, once.
MACS = {"conv1": 108 * 16, "dw": 36 * 16, "head": 12}


def timed(kind: str, index: int, shape: tuple[int, ...] = (), **fields: Any) -> dict[str, Any]:
    return {"index": index, "name": f"node {index}", "kind": kind, "ns": 1000, "shape": list(shape), **fields}


@pytest.mark.parametrize("name", ["float", "int8"])
def test_macs_of_a_tflite_file_are_those_of_its_layers(plain: dict[str, bytes], name: str):
    found = {each.name: each.macs for each in costs.of(tflite.contents(plain[f"{name}.tflite"])) if each.macs}
    assert sorted(found.values()) == sorted(MACS.values())
    assert found["conv1"] == MACS["conv1"]


def test_bytes_are_weights_and_activations(plain: dict[str, bytes]):
    found = {each.name: each.bytes for each in costs.of(tflite.contents(plain["float.tflite"]))}
    # Four bytes each: 8 x 8 x 3 in, 108 weights, 4 biases, 4 x 4 x 4 out.
    assert found["conv1"] == 4 * (192 + 108 + 4 + 64)
    # Two in and one out.
    assert found["sum"] == 4 * 3 * 64
    assert found["predictions"] == 4 * (3 + 3)


def test_an_operator_without_weights_has_no_macs(plain: dict[str, bytes]):
    found = {each.name: each.macs for each in costs.of(tflite.contents(plain["float.tflite"]))}
    assert found["sum"] is found["predictions"] is None


def contents(operators: list[Operator], *tensors: Tensor) -> Contents:
    return Contents({each.name: each for each in tensors}, tuple(operators), ("x",), ("y",), {})


IMAGE = Tensor("x", (1, 4, 4, 2), "float32")
WEIGHT = Tensor("w", (8, 1, 1, 2), "float16", constant_bytes=32)


def test_prepared_constants_count_where_they_are_read():
    """DEQUANTIZE of float16 weights runs when the file is opened."""
    made = costs.of(
        contents(
            [Operator("DEQUANTIZE", ("w",), ("w32",)), Operator("CONV_2D", ("x", "w32"), ("y",))],
            IMAGE,
            WEIGHT,
            Tensor("w32", (8, 1, 1, 2), "float32"),
            Tensor("y", (1, 4, 4, 8), "float32"),
        )
    )
    # In: 32 floats. Weights: 16, of 2 bytes. Out: 128 floats.
    assert made == (Cost("w32", "DEQUANTIZE", None, 0), Cost("y", "CONV_2D", 16 * 16, 4 * 32 + 32 + 4 * 128))


@pytest.mark.parametrize(("shape", "whole"), [((-1, 4, 4, 8), 4 * 32 + 32 + 4 * 128), ((1, -1, 4, 8), None)])
def test_an_open_batch_counts_as_one_and_an_open_side_is_unknown(shape: tuple[int, ...], whole: int | None):
    operator = Operator("CONV_2D", ("x", "w"), ("y",))
    (made,) = costs.of(contents([operator], IMAGE, WEIGHT, Tensor("y", shape, "float32")))
    assert made.bytes == whole


def test_the_name_is_the_first_of_what_was_fused():
    operator = Operator("RELU", ("x",), ("a/Relu6;a/bias;b",))
    (made,) = costs.of(contents([operator], IMAGE, Tensor("a/Relu6;a/bias;b", (1, 4, 4, 2), "float32")))
    assert made.name == "a/Relu6"


def test_times_of_a_tflite_file_are_joined_by_index(plain: dict[str, bytes]):
    read = tflite.contents(plain["float.tflite"])
    measured = [timed("BUILTIN_3", 0, ns=864, interval_ns=[800, 900]), timed("BUILTIN_99", 99)]
    first, stranger = costs.join(measured, read, "tflite")
    assert first == {
        "index": 0,
        "name": "conv1",
        "kind": "CONV_2D",
        "ms": 0.000864,
        "interval_ms": [0.0008, 0.0009],
        "macs": 1728,
        "bytes": 4 * (192 + 108 + 4 + 64),
        "gmacs_per_s": 2.0,  # 1728 in 864 ns
    }
    assert (stranger["name"], stranger["kind"], stranger["macs"], stranger["bytes"]) == (
        "node 99",
        "BUILTIN_99",
        None,
        None,
    )


@pytest.mark.parametrize("ns", [0, -20])
def test_a_time_of_nothing_has_no_rate(plain: dict[str, bytes], ns: int):
    (made,) = costs.join([timed("BUILTIN_3", 0, ns=ns)], tflite.contents(plain["float.tflite"]), "tflite")
    assert made["ms"] == ns / 1e6
    assert made["gmacs_per_s"] is None


def running(kind: str, *shapes: tuple[int, ...]) -> list[dict[str, Any]]:
    """Three products between operators of onnxruntime's own, as it runs them."""
    kinds = (kind, kind, "Gemm" if kind == "Conv" else "QGemm")
    ops = [timed("ReorderInput", 0, activation_bytes=10)]
    return [
        *ops,
        *(timed(k, i, s, activation_bytes=100) for i, (k, s) in enumerate(zip(kinds, shapes, strict=True), 1)),
    ]


@pytest.mark.parametrize(
    ("name", "kind", "shapes"),
    [
        # Float channels are filled up to 16; integers come last.
        ("float", "Conv", [(1, 16, 4, 4), (1, 16, 4, 4), (1, 3)]),
        ("float", "Conv", [(1, 4, 4, 4), (1, 8, 4, 4), (1, 3)]),
        ("int8", "QLinearConv", [(1, 4, 4, 4), (1, 4, 4, 4), (1, 3)]),
    ],
)
def test_products_of_an_onnx_file_are_joined_by_order(plain: dict[str, bytes], name: str, kind: str, shapes: list[Any]):
    made = costs.join(running(kind, *shapes), onnx.contents(plain[f"{name}.onnx"]), "onnx")
    assert [each["macs"] for each in made] == [None, *MACS.values()]
    assert [each["name"] for each in made] == ["node 0", "conv1", "dw", "head"]
    # Filling up costs time and is no use: the rate counts what the model needs.
    assert made[1]["gmacs_per_s"] == 1.728


def test_bytes_of_an_onnx_operator_are_what_it_moved_and_what_it_holds(plain: dict[str, bytes]):
    made = costs.join(running("Conv", (1, 16, 4, 4), (1, 16, 4, 4), (1, 3)), onnx.contents(plain["float.onnx"]), "onnx")
    assert [each["bytes"] for each in made] == [10, 100 + 4 * (108 + 4), 100 + 4 * (36 + 4), 100 + 4 * (12 + 3)]


@pytest.mark.parametrize(
    "measured",
    [
        running("Conv", (1, 16, 4, 4), (1, 32, 4, 4), (1, 3)),  # 4 channels are never 32
        running("Conv", (1, 16, 4, 4), (1, 16, 4, 4), (1, 5)),
        running("Conv", (1, 16, 4, 4), (1, 16, 4, 4), (1, 3))[:-1],
        running("Conv", (), (), ()),
    ],
    ids=["channels", "classes", "count", "no shapes"],
)
def test_what_does_not_fit_is_not_guessed(plain: dict[str, bytes], measured: list[dict[str, Any]]):
    made = costs.join(measured, onnx.contents(plain["float.onnx"]), "onnx")
    assert {each["macs"] for each in made} == {None}
    assert [each["bytes"] for each in made] == [10, *[None] * (len(measured) - 1)]
    assert [each["name"] for each in made] == [each["name"] for each in measured]
