"""Small .tflite graphs put together by hand, one operator at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mobilenet_edge.formats.contents import Contents
from mobilenet_edge.formats.tflite import read as tflite
from mobilenet_edge.formats.tflite.builder import ModelBuilder


class Sketch:
    """A graph under construction, from one int8 image; every tensor is on one grid unless it is told otherwise."""

    def __init__(self, shape: Sequence[int] = (1, 8, 8, 4), dtype: str = "int8") -> None:
        self.file = ModelBuilder()
        self.names = 0
        self.image = self.tensor(shape, dtype)

    def tensor(self, shape, dtype="int8", data=None, scales=(0.5,), zero_point=0) -> int:
        self.names += 1
        scales = () if dtype in ("float32", "int32") and data is None else scales
        return self.file.tensor(f"t{self.names}", shape, dtype, data, scales, zero_point)

    def constant(self, values, dtype="int32", scales=(), zero_point=0) -> int:
        data = np.asarray(values, np.dtype(dtype))
        return self.tensor(data.shape, dtype, data, scales, zero_point)

    def op(self, kind, inputs, shape=(1, 8, 8, 4), dtype="int8", options=None, **values) -> int:
        output = self.tensor(shape, dtype)
        self.file.operator(kind, inputs, output, options=options, **values)
        return output

    def conv(self, source, shape=(1, 8, 8, 4), weights=None, bias=None, scales=(0.1,) * 4, **values) -> int:
        weights = self.constant(np.ones((4, 1, 1, 4)), "int8", scales) if weights is None else weights
        bias = self.constant(np.zeros(4), "int32", scales) if bias is None else bias
        values = {"StrideW": 1, "StrideH": 1, **values}
        return self.op("CONV_2D", [source, weights, bias], shape, options="Conv2DOptions", **values)

    def contents(self, *outputs: int) -> Contents:
        return tflite.contents(self.bytes(*outputs))

    def bytes(self, *outputs: int) -> bytes:
        return self.file.finish([self.image], outputs, "by hand")


@pytest.fixture
def sketch() -> type[Sketch]:
    """`sketch()` begins a graph."""
    return Sketch
