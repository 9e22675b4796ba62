"""Write a matrix product as a .tflite file: a flatbuffer with the field numbers of TensorFlow's schema.fbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from mobilenet_edge.device.gemm import Shape, weights
from mobilenet_edge.formats.wire.flatbuffer import OFFSET, Builder

_TYPES: Final = {"float32": 0, "int32": 2, "int8": 9}
_CONV_2D: Final = 3
# Version 1 of CONV_2D has only float32; version 3 added int8.
_VERSIONS: Final = {"float32": 1, "int8": 3}
_CONV_2D_OPTIONS: Final = 1
_VALID: Final = 1
# Alignment of a buffer's data, in bytes.
_ALIGNMENT: Final = 16
_SCHEMA_VERSION: Final = 3


def write(dtype: str, shape: Shape, count: int = 1) -> bytes:
    """Write a model of 1 x 1 CONV_2D operators; int8 weights have one scale per output channel.

    Args:
        dtype: Element type of activations and weights: "float32" or "int8".
        shape: Size of the product: input (1, 1, m, k), weights (n, 1, 1, k), output (1, 1, m, n).
        count: Number of chained convolutions with shared weights; above 1, k and n must be equal.

    Returns:
        The content of the file.
    """
    file = Builder()
    bias = np.zeros(shape.n, np.float32 if dtype == "float32" else np.int32)
    kernel = weights(dtype, (shape.n, 1, 1, shape.k))
    constants = [file.vector(values.tobytes(), values.nbytes, _ALIGNMENT) for values in (kernel, bias)]
    buffers = [file.table([]), *(_table(file, {0: data}) for data in constants)]
    scales = 0 if dtype == "float32" else 1
    tensors = [
        _tensor(file, "w", kernel.shape, dtype, 1, scales * shape.n),
        _tensor(file, "b", bias.shape, bias.dtype.name, 2, scales * shape.n),
        _tensor(file, "x", (1, 1, shape.m, shape.k), dtype, 0, scales),
        *(_tensor(file, f"y{index}", (1, 1, shape.m, shape.n), dtype, 0, scales) for index in range(count)),
    ]
    options = file.table([(1, "i", 1), (2, "i", 1), (0, "b", _VALID)])
    operators = [_operator(file, source, options) for source in range(2, 2 + count)]
    graph = {0: file.offsets(tensors), 1: file.numbers("i", [2]), 2: file.numbers("i", [2 + count])}
    graph[3] = file.offsets(operators)
    code = file.table([(2, "i", _VERSIONS[dtype]), (3, "i", _CONV_2D), (0, "b", _CONV_2D)])
    model = {1: file.offsets([code]), 2: file.offsets([_table(file, graph)]), 4: file.offsets(buffers)}
    return file.finish(_table(file, model, (0, "I", _SCHEMA_VERSION)), b"TFL3")


def _tensor(file: Builder, name: str, shape: Sequence[int], dtype: str, buffer: int, scales: int) -> int:
    parts = {0: file.numbers("i", shape), 3: file.string(name)}
    if scales:
        parts[4] = _table(file, {2: file.numbers("f", [1] * scales), 3: file.numbers("q", [0] * scales)})
    return _table(file, parts, (2, "I", buffer), (1, "b", _TYPES[dtype]))


def _operator(file: Builder, source: int, options: int) -> int:
    inputs, outputs = file.numbers("i", (source, 0, 1)), file.numbers("i", (source + 1,))
    return _table(file, {1: inputs, 2: outputs, 4: options}, (3, "B", _CONV_2D_OPTIONS))


def _table(file: Builder, parts: Mapping[int, int], *numbers: tuple[int, str, int]) -> int:
    """Write a table with the offsets of its parts by field, and its numbers."""
    return file.table([*((field, OFFSET, offset) for field, offset in parts.items()), *numbers])
