"""What is inside a model file, the same for every format."""

from __future__ import annotations

import math
import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

ITEM_BITS: Final = {
    "float32": 32, "float16": 16, "bfloat16": 16, "float64": 64, "int4": 4, "int8": 8, "uint8": 8, "int16": 16,
    "uint16": 16, "int32": 32, "uint32": 32, "int64": 64, "uint64": 64, "bool": 8,
}  # fmt: skip
# Runtimes take 6 or 8 axes; products of many more sides would be numbers of megabytes.
_MOST_AXES: Final = 64


@dataclass(frozen=True)
class Tensor:
    """A tensor of the graph.

    Attributes:
        name: As the file says.
        shape: Batch included; -1 where the file leaves it open.
        dtype: Element type.
        scales: Of its quantisation, empty for none.
        zero_points: As many as scales, or none.
        constant_bytes: Size of its stored values, 0 for an activation.
        constant: Those values as they lie in the file; of an .onnx file only those of one byte each.

    Raises:
        ValueError: There are more axes than any model has, or a scale is not finite.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    constant_bytes: int = 0
    constant: memoryview = field(default=memoryview(b""), repr=False)

    def __post_init__(self) -> None:
        if len(self.shape) > _MOST_AXES:
            raise ValueError(f"a tensor has {len(self.shape)} axes")
        if not all(map(math.isfinite, self.scales)):
            raise ValueError("a scale is not finite")

    @property
    def integers(self) -> tuple[int, ...]:
        """The values of an int32 constant, such as axes and shapes; empty for every other tensor."""
        if self.dtype != "int32":
            return ()
        return struct.unpack(f"<{len(self.constant) // 4}i", self.constant[: len(self.constant) // 4 * 4])

    @property
    def elements(self) -> int:
        """Number of values."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Operator:
    """An operator: its kind in the format's own words, and the names of the tensors it reads and makes.

    Attributes:
        kind: Such as CONV_2D or Conv.
        inputs: Names, without the optional ones that are left out.
        outputs: Names.
        options: By name. Of a TFLite operator those that `options` knows, of an ONNX operator its integer attributes.
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Contents:
    """Tensors and operators of a model file.

    Attributes:
        tensors: By name.
        operators: In execution order.
        inputs: Names of the model's inputs.
        outputs: Names of the model's outputs.
        sections: Where the file's bytes go, by part; sums to the file's size.

    Raises:
        ValueError: Parts overlap.
    """

    tensors: dict[str, Tensor]
    operators: tuple[Operator, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    sections: dict[str, int]

    def __post_init__(self) -> None:
        if min(self.sections.values(), default=0) < 0:
            raise ValueError("its parts overlap")

    @property
    def ops(self) -> dict[str, int]:
        """How many operators there are of each kind, most first."""
        return dict(Counter(each.kind for each in self.operators).most_common())

    @property
    def precision(self) -> str:
        """The element type that holds most of the constants' elements: what people call the model's precision."""
        count: Counter[str] = Counter()
        for tensor in self.tensors.values():
            bits = ITEM_BITS.get(tensor.dtype)
            if tensor.constant_bytes and bits:
                count[tensor.dtype] += tensor.constant_bytes * 8 // bits
        return count.most_common(1)[0][0] if count else "unknown"
