from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from mobilenet_edge.device import gemm_onnx, runtimes
from mobilenet_edge.device.gemm import Shape, weights

SHAPE = Shape(5, 200, 7)


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8"])
def test_the_onnx_package_reads_what_is_written(dtype: str):
    model = onnx.load_from_string(gemm_onnx.write(dtype, SHAPE))
    onnx.checker.check_model(model, full_check=True)
    around = [] if dtype == "float32" else ["DequantizeLinear", "DequantizeLinear"]
    assert [node.op_type for node in model.graph.node] == [*around, "Conv", *(["QuantizeLinear"] if around else [])]


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8"])
def test_it_multiplies(dtype: str, tmp_path: Path):
    path = tmp_path / "product.onnx"
    path.write_bytes(gemm_onnx.write(dtype, SHAPE))
    session = runtimes.open_model(path)
    assert session.inputs[0].shape == (1, 200, 1, 5)
    x = np.resize(np.arange(9), session.inputs[0].shape).astype(dtype)
    (y,) = session.run([x])
    kernel = weights(dtype, (7, 200)).astype(float)
    expected = np.einsum("nk,bkhm->bnhm", kernel, x.astype(float))
    if dtype == "float32":
        # Multiples of 1/64 below 2**24 / 64: float32 holds them all.
        np.testing.assert_array_equal(y, expected)
    else:
        limits = np.iinfo(dtype)
        np.testing.assert_array_equal(y, np.clip(expected, limits.min, limits.max))


def test_the_idle_model_does_nothing(tmp_path: Path):
    onnx.checker.check_model(onnx.load_from_string(gemm_onnx.write_idle()), full_check=True)
    path = tmp_path / "idle.onnx"
    path.write_bytes(gemm_onnx.write_idle())
    (y,) = runtimes.open_model(path).run([np.float32([[[[7]]]])])
    np.testing.assert_array_equal(y, [[7]])


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8"])
def test_several_in_succession_are_one_after_the_other(dtype: str, tmp_path: Path):
    square = Shape(2, 9, 9)
    results = []
    for count in (1, 3):
        path = tmp_path / f"product{count}.onnx"
        path.write_bytes(gemm_onnx.write(dtype, square, count))
        results.append(runtimes.open_model(path))
    once, thrice = results
    x = [np.resize(np.arange(5), (1, 9, 1, 2)).astype(dtype)]
    np.testing.assert_array_equal(thrice.run(x)[0], once.run(once.run(once.run(x)))[0])
