"""A matrix product as a .tflite file: a flatbuffer by TensorFlow's schema.fbs, whose numbers of fields are these."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mobilenet_edge.device.gemm import Shape, weights

_TYPES: Final = {"float32": 0, "int32": 2, "int8": 9}
_CONV_2D: Final = 3
# The version of CONV_2D that knows int8; the first knows float alone.
_VERSIONS: Final = {"float32": 1, "int8": 3}
_CONV_2D_OPTIONS: Final = 1
_VALID: Final = 1
# What TFLite asks of the data of a buffer.
_ALIGNMENT: Final = 16


def write(dtype: str, shape: Shape, count: int = 1) -> bytes:
    """Write a 1 x 1 convolution of m pixels in a row, CONV_2D; int8 with a scale for each output channel.

    Args:
        dtype: Of activations and weights: "float32" or "int8".
        shape: Of the product; input (1, 1, m, k), weights (n, 1, 1, k), output (1, 1, m, n).
        count: So many in succession, all by the same weights; for several k and n must be the same.
    """
    bias = np.zeros(shape.n, np.float32 if dtype == "float32" else np.int32)
    kernel = weights(dtype, (shape.n, 1, 1, shape.k))
    scales = None if dtype == "float32" else 1
    tensors = [
        _tensor("w", kernel.shape, dtype, 1, scales and shape.n),
        _tensor("b", bias.shape, bias.dtype.name, 2, scales and shape.n),
        _tensor("x", (1, 1, shape.m, shape.k), dtype, 0, scales),
        *(_tensor(f"y{index}", (1, 1, shape.m, shape.n), dtype, 0, scales) for index in range(count)),
    ]
    options = {0: _Byte(_VALID), 1: 1, 2: 1}
    operators = [
        Fields({1: _ints(source, 0, 1), 2: _ints(source + 1), 3: _Byte(_CONV_2D_OPTIONS), 4: Fields(options)})
        for source in range(2, 2 + count)
    ]
    graph = Fields({0: tensors, 1: _ints(2), 2: _ints(2 + count), 3: operators})
    code = Fields({0: _Byte(_CONV_2D), 2: _VERSIONS[dtype], 3: _CONV_2D})
    buffers = [Fields({})] + [Fields({0: Items(each.tobytes(), each.nbytes, _ALIGNMENT)}) for each in (kernel, bias)]
    return encode(Fields({0: 3, 1: [code], 2: [graph], 4: buffers}))


def _tensor(name: str, shape: Sequence[int], dtype: str, buffer: int, scales: int | None) -> Fields:
    fields = {0: _ints(*shape), 1: _Byte(_TYPES[dtype]), 2: buffer, 3: Items(name.encode() + b"\0", len(name))}
    if scales:
        ones = Items(np.ones(scales, "<f4").tobytes(), scales)
        fields[4] = Fields({2: ones, 3: Items(bytes(8 * scales), scales, 8), 6: 0})
    return Fields(fields)


class _Byte(int):
    """A field of one byte; a plain int has four."""


@dataclass(frozen=True)
class Items:
    """A vector of scalars, or a string: its bytes, how many items they are, and on what they are aligned."""

    data: bytes
    length: int
    alignment: int = 4


@dataclass(frozen=True)
class Fields:
    """A table: by number of the field an int, a `_Byte`, `Items`, another table or a list of tables."""

    values: Mapping[int, Any]


def encode(root: Fields) -> bytes:
    """Write a flatbuffer: each table, and what it points to behind it."""
    data = bytearray(b"\0\0\0\0TFL3")
    waiting: list[tuple[int, Any]] = [(0, root)]
    while waiting:
        place, value = waiting.pop()
        position, pointers = _append(data, value)
        struct.pack_into("<I", data, place, position - place)
        waiting += pointers
    return bytes(data)


def _append(data: bytearray, value: Any) -> tuple[int, list[tuple[int, Any]]]:
    """Append a value; return where it stands and what it points to from where."""
    if isinstance(value, Fields):
        return _append_table(data, value.values)
    if isinstance(value, list):
        _pad(data, 4)
        position = len(data)
        data += struct.pack(f"<{1 + len(value)}I", len(value), *[0] * len(value))
        return position, [(position + 4 + 4 * index, each) for index, each in enumerate(value)]
    # The length stands in front of the items, and these are what is aligned.
    _pad(data, value.alignment, ahead=4)
    position = len(data)
    data += struct.pack("<I", value.length) + value.data
    return position, []


def _append_table(data: bytearray, values: Mapping[int, Any]) -> tuple[int, list[tuple[int, Any]]]:
    count = 1 + max(values, default=-1)
    _pad(data, 4, ahead=2 * (2 + count))
    vtable = len(data)
    size = 4 + sum(1 if isinstance(value, _Byte) else 4 for value in values.values())
    data += struct.pack(f"<{2 + count}H", 4 + 2 * count, size, *[0] * count)
    position = len(data)
    data += struct.pack("<i", position - vtable)
    pointers = []
    for number, value in sorted(values.items(), key=lambda item: isinstance(item[1], _Byte)):
        struct.pack_into("<H", data, vtable + 4 + 2 * number, len(data) - position)
        if isinstance(value, int):
            data += struct.pack("<B" if isinstance(value, _Byte) else "<i", value)
        else:
            pointers.append((len(data), value))
            data += bytes(4)
    return position, pointers


def _pad(data: bytearray, alignment: int, ahead: int = 0) -> None:
    data += bytes(-(len(data) + ahead) % alignment)


def _ints(*values: int) -> Items:
    return Items(struct.pack(f"<{len(values)}i", *values), len(values))
