from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.device import gemm_tflite, runtimes
from mobilenet_edge.device.gemm import Shape, weights
from mobilenet_edge.formats.tflite import read as tflite

SHAPE = Shape(5, 200, 7)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_the_workstation_reads_what_is_written(dtype: str):
    contents = tflite.contents(gemm_tflite.write(dtype, SHAPE))
    (operator,) = contents.operators
    assert operator.kind == "CONV_2D"
    assert (contents.inputs, operator.inputs, contents.outputs) == (("x",), ("x", "w", "b"), ("y0",))
    assert contents.tensors["w"].shape == (7, 1, 1, 200)
    assert contents.tensors["w"].constant_bytes == 7 * 200 * (4 if dtype == "float32" else 1)
    assert contents.tensors["w"].scales == (() if dtype == "float32" else (1.0,) * 7)
    assert contents.tensors["y0"].scales == (() if dtype == "float32" else (1.0,))


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("shape", [SHAPE, Shape(1, 1, 1), Shape(64, 3, 33)])
def test_data_are_aligned_as_the_runtime_asks(dtype: str, shape: Shape):
    from mobilenet_edge.formats.wire.flatbuffer import Table

    data = gemm_tflite.write(dtype, shape)
    model = Table.root(data)
    starts = [start for start, length in (each.span(0, 1) for each in model.tables(4)) if length]
    assert [start % 16 for start in starts] == [0, 0]
    grids = [tensor.table(4) for tensor in model.tables(2)[0].tables(0)]
    assert all(grid.span(3, 8)[0] % 8 == 0 for grid in grids if grid)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_it_multiplies(dtype: str, tmp_path: Path):
    path = tmp_path / "product.tflite"
    path.write_bytes(gemm_tflite.write(dtype, SHAPE))
    session = runtimes.open_model(path)
    assert session.inputs[0].shape == (1, 1, 5, 200)
    x = np.resize(np.arange(9), session.inputs[0].shape).astype(dtype)
    (y,) = session.run([x])
    expected = x.astype(float) @ weights(dtype, (7, 200)).astype(float).T
    if dtype == "float32":
        # Multiples of 1/64 below 2**24 / 64: float32 holds them all.
        np.testing.assert_array_equal(y, expected)
    else:
        np.testing.assert_array_equal(y, np.clip(expected, -128, 127))


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_several_in_succession_are_one_after_the_other(dtype: str, tmp_path: Path):
    path = tmp_path / "product.tflite"
    square = Shape(2, 9, 9)
    results = []
    for count in (1, 3):
        path.write_bytes(gemm_tflite.write(dtype, square, count))
        results.append(runtimes.open_model(path))
    once, thrice = results
    x = [np.resize(np.arange(5), (1, 1, 2, 9)).astype(dtype)]
    np.testing.assert_array_equal(thrice.run(x)[0], once.run(once.run(once.run(x)))[0])
