"""Milliseconds of mixed files, from those of the operators of two others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mobilenet_edge import records
from mobilenet_edge.conversion import latencies
from mobilenet_edge.conversion.latencies import Timing
from mobilenet_edge.errors import InputError
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.records import Profile


def conv(name: str, source: str, inputs: int) -> Node:
    weight, bias = np.zeros((1, 1, inputs, 5), np.float32), np.zeros(5, np.float32)
    return Node(name, "conv", (source,), (2, 2, 5), weight, bias, activation="relu6")


# 60, 100 and 100 MACs; 12 values at the input and 20 at each cut.
GRAPH = Graph("tiny", "image", (2, 2, 3), (conv("a", "image", 3), conv("b", "a", 5), conv("c", "b", 5)))
FLOAT32 = [("Conv", 8.0, 60), ("Clip", 1.0, None), ("Conv", 20.0, 100), ("Clip", 1.0, None), ("Conv", 30.0, 100)]
INT8 = [
    ("QuantizeLinear", 6.0, None),
    ("QLinearConv", 10.0, 60),
    ("QLinearConv", 12.0, 100),
    ("QLinearConv", 12.0, 100),
]


def profile(ops: Any, ms: float, precision: str, **changes: Any) -> Profile:
    fields: dict[str, Any] = {
        "artifact": f"tiny.{precision}.onnx", "sha256": "0", "size_bytes": 1, "format": "onnx", "variant": "tiny",
        "runtime": "onnxruntime", "runtime_version": "1", "threads": 1, "load_ms": 1.0, "first_ms": 1.0,
        "round_sizes": (2,), **changes,
    }  # fmt: skip
    found = tuple(
        {"index": index, "name": kind, "kind": kind, "ms": time, "macs": macs}
        for index, (kind, time, macs) in enumerate(ops)
    )
    return Profile(**fields, precision=precision, times_ns=(round(ms * 1e6),) * 2, ops=found)


@pytest.fixture
def timing() -> Timing:
    return Timing(profile(FLOAT32, 60.0, "float32"), profile(INT8, 80.0, "int8"))


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        # 8 + 1 in float; 12 + 12 in integers; 20 values to convert, of which 12 take 6 ms.
        ("a", 9 + 24 + 10),
        ("b", 30 + 12 + 10),
    ],
)
def test_operators_count_as_the_part_they_are_in_runs_them(cut: str, expected: float, timing: Timing) -> None:
    assert timing.estimate(GRAPH, GRAPH, cut) == pytest.approx(expected)
    assert (timing.float32_ms, timing.int8_ms) == (60, 40)


def test_without_a_conversion_in_the_record_the_fastest_layer_bounds_it(timing: Timing) -> None:
    integer_ends = Timing(timing.float32, profile(INT8[1:], 34.0, "int8"))
    # The first float layer writes 20 values in 8 ms.
    assert integer_ends.estimate(GRAPH, GRAPH, "a") == pytest.approx(9 + 24 + 8)


def test_operators_of_another_model_are_refused(timing: Timing) -> None:
    other = Timing(profile([*FLOAT32, ("Conv", 1.0, 7)], 61.0, "float32"), timing.int8)
    with pytest.raises(InputError, match="267 MACs and those of the model 260"):
        other.estimate(GRAPH, GRAPH, "a")


def test_a_record_needs_both_files_with_operators(timing: Timing, tmp_path: Any) -> None:
    path = tmp_path / "pi4.json"
    records.write(path, [timing.float32, timing.int8, profile(INT8, 20.0, "int8", threads=4)])
    (found,) = latencies.read(path, "tiny", ["onnx"]).values()
    assert (found.float32.threads, found.int8.threads) == (1, 1)
    for variant, formats in (("other", ["onnx"]), ("tiny", ["onnx", "tflite"])):
        with pytest.raises(InputError, match="mnet profile --ops --json"):
            latencies.read(path, variant, formats)
    records.write(path, [timing.float32])
    with pytest.raises(InputError, match=r"float32 and the int8 \.onnx of tiny"):
        latencies.read(path, "tiny", ["onnx"])
