"""List the operators that the Edge TPU supports, as in Coral's table.

Operators have their names in TFLite's schema. `runtime` is the first Edge TPU runtime that supports the operator within
the limits; the table has "All" for the oldest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mobilenet_edge.conversion.coral import limits
from mobilenet_edge.conversion.coral.limits import Limit, constant

SOURCE: Final = "https://coral.ai/docs/edgetpu/models-intro/#supported-operations"
# The operator that replaces compiled operators.
COMPILED: Final = "edgetpu-custom-op"
# For older runtimes the compiler maps only uint8 ("unsupported data type" for int8, google-coral/edgetpu#222).
INT8_RUNTIME: Final = 12


@dataclass(frozen=True)
class Rule:
    """One row of the table.

    Attributes:
        runtime: First runtime that supports the operator; 0 for all.
        limits: Limits that the operator must meet to be mapped.
        caution: Warns that the operator may not be mapped, where the table gives no exact limit.
    """

    runtime: int = 0
    limits: tuple[Limit, ...] = ()
    caution: Limit | None = None


_WEIGHTS: Final = constant(weights=1, bias=2)
_REDUCTION: Final = (constant(axes=1), limits.unreduced_batch)
RULES: Final[Mapping[str, Rule]] = {
    "ADD": Rule(),
    "AVERAGE_POOL_2D": Rule(limits=(limits.unfused,)),
    "CONCATENATION": Rule(limits=(limits.unfused, limits.zero_padding)),
    "CONV_2D": Rule(limits=(_WEIGHTS, limits.same_dilation)),
    "DEPTHWISE_CONV_2D": Rule(limits=(_WEIGHTS, limits.same_dilation)),
    "EXPAND_DIMS": Rule(13, (constant(axis=1),)),
    "FULLY_CONNECTED": Rule(limits=(_WEIGHTS, limits.plain_weights, limits.flat_output)),
    "L2_NORMALIZATION": Rule(),
    "LOGISTIC": Rule(),
    "MAXIMUM": Rule(),
    "MAX_POOL_2D": Rule(limits=(limits.unfused,)),
    "MEAN": Rule(13, (*_REDUCTION, limits.depth_of_four)),
    "MINIMUM": Rule(),
    "MUL": Rule(),
    "PACK": Rule(13, (limits.unpacked_batch,)),
    "PAD": Rule(13, (constant(amounts=1), limits.unpadded_batch)),
    "PRELU": Rule(13, (constant(alpha=1), limits.narrow_slope)),
    "QUANTIZE": Rule(13),
    "REDUCE_MAX": Rule(14, _REDUCTION),
    "REDUCE_MIN": Rule(14, _REDUCTION),
    "RELU": Rule(),
    "RELU6": Rule(),
    "RELU_N1_TO_1": Rule(),
    "RESHAPE": Rule(limits=(constant(shape=1),), caution=limits.large),
    "RESIZE_BILINEAR": Rule(limits=(constant(size=1),), caution=limits.resized),
    "RESIZE_NEAREST_NEIGHBOR": Rule(limits=(constant(size=1),), caution=limits.resized),
    "RSQRT": Rule(14),
    "SLICE": Rule(limits=(constant(begin=1, size=2),)),
    "SOFTMAX": Rule(limits=(limits.small_softmax,)),
    "SPACE_TO_DEPTH": Rule(),
    "SPLIT": Rule(limits=(constant(axis=0), limits.unsplit_batch)),
    "SQUARED_DIFFERENCE": Rule(14),
    "SQUEEZE": Rule(13),
    "STRIDED_SLICE": Rule(limits=(constant(begin=1, end=2, strides=3), limits.unit_strides)),
    "SUB": Rule(),
    "SUM": Rule(13, _REDUCTION),
    "TANH": Rule(),
    "TRANSPOSE": Rule(14, (constant(order=1),)),
    "TRANSPOSE_CONV": Rule(13, (constant(size=0, weights=1, bias=3),)),
    # In the table "LSTM, unidirectional only". The cell state is int16, so the limit on 8 bits does not apply.
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Rule(14),
}
# Operators whose tensors have types other than 8 bits.
MIXED_TYPES: Final = frozenset({"UNIDIRECTIONAL_SEQUENCE_LSTM"})


def limits_of(kind: str) -> tuple[Limit, ...]:
    """Return all limits of an operator, general ones included, in the order of their messages."""
    first = () if kind in MIXED_TYPES else (limits.integer,)
    return (*first, *RULES[kind].limits, limits.fixed)
