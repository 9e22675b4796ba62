"""Write a model as C++ source: a constant aligned array with its length, and the arena that it needs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Final

from mobilenet_edge.formats import archive

# The interpreter reads 16-byte aligned weights in place.
ALIGNMENT: Final = 16
# Numbers of an array to a line.
_WIDTH: Final = 100
_HEADER: Final = """\
// A model for TensorFlow Lite for Microcontrollers, and the memory that it needs. Written by mnet.
#pragma once

#include <cstddef>
#include <cstdint>

// {name}: its first {length} bytes, without the metadata behind them. SHA-256 of the whole:
// {sha256}
constexpr size_t kModelBytes = {length};
alignas({alignment}) extern const uint8_t kModel[kModelBytes];

// The smallest arena in which the interpreter allocated the tensors, with 64-bit pointers and the reference kernels, of
// {interpreter}.
// Pointers of 32 bits take less. Optimised kernels (CMSIS-NN, ESP-NN) ask for buffers besides; where AllocateTensors
// fails, give more, and see arena_used_bytes().
constexpr size_t kArenaBytes = {arena};
"""
_ARRAY: Final = """\
#include "{header}"

alignas({alignment}) const uint8_t kModel[kModelBytes] = {{
{numbers}
}};
"""


def flatbuffer(data: bytes) -> bytes:
    """Return the part of a .tflite file that the interpreter reads: without the zip of metadata behind it."""
    return data[: archive.start(data)]


def numbers(values: Iterable[int]) -> str:
    """Write the numbers of an array, in lines."""
    return textwrap.fill(",".join(map(str, values)).replace(",", ", "), _WIDTH, break_long_words=False)


def header(name: str, data: bytes, sha256: str, arena_bytes: int, interpreter: str) -> str:
    """Write the header that declares the array of a file and the size of its arena.

    Args:
        name: Of the file.
        data: The whole file.
        sha256: Of the whole file, as hex.
        arena_bytes: Smallest arena.
        interpreter: Name and version of what found it.
    """
    return _HEADER.format(
        name=name,
        sha256=sha256,
        length=len(flatbuffer(data)),
        alignment=ALIGNMENT,
        arena=arena_bytes,
        interpreter=interpreter,
    )


def array(header_name: str, data: bytes) -> str:
    """Write the source file of the array, which includes the header of that name."""
    return _ARRAY.format(header=header_name, alignment=ALIGNMENT, numbers=numbers(flatbuffer(data)))
