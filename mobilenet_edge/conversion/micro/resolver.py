"""List the operators of TensorFlow Lite for Microcontrollers, and write the resolver that brings those of a model.

The list is that of the wheel's interpreter: python_ops_resolver.cc of tensorflow/tflite-micro. An operator of the list
may lack a kernel for a model's element types; the interpreter itself is asked in `footprint`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mobilenet_edge.errors import BuildError
from mobilenet_edge.formats.contents import Contents

SOURCE: Final = "https://github.com/tensorflow/tflite-micro/blob/main/python/tflite_micro/python_ops_resolver.cc"
# By their names in TFLite's schema; custom operators, for sound and detection, are left out.
_NAMES: Final = """
ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_TO_SPACE_ND BROADCAST_ARGS BROADCAST_TO CALL_ONCE
CAST CEIL CONCATENATION CONV_2D COS CUMSUM DEPTH_TO_SPACE DEPTHWISE_CONV_2D DEQUANTIZE DIV ELU EQUAL EXP EXPAND_DIMS
FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION
L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX MAX_POOL_2D MAXIMUM
MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE READ_VARIABLE REDUCE_MAX RELU RELU6 RESHAPE
RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR ROUND RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH
SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE TRANSPOSE_CONV
UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE
"""
OPERATORS: Final = frozenset(_NAMES.split())
# Methods of MicroMutableOpResolver that are not the operator's name in camel case.
_IRREGULAR: Final = {
    "CUMSUM": "AddCumSum", "PADV2": "AddPadV2", "UNIDIRECTIONAL_SEQUENCE_LSTM": "AddUnidirectionalSequenceLSTM",
}  # fmt: skip
_TEXT: Final = """\
// The operators of one model, and no others, since each takes flash. Written by mnet.
#pragma once

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

// The names of the library are in tflite::micro; in its older versions they are in tflite, and those of C in none.
namespace tflite::micro {{}}
namespace tflm {{
using namespace tflite;
using namespace tflite::micro;

using OpResolver = MicroMutableOpResolver<{count}>;

inline TfLiteStatus AddOps(OpResolver& resolver) {{
{lines}
  return kTfLiteOk;
}}

}}  // namespace tflm
"""


def method(kind: str) -> str:
    """Return the method of MicroMutableOpResolver that adds an operator of `OPERATORS`."""
    words = (word if word == "2D" else word.capitalize() for word in kind.split("_"))
    return _IRREGULAR.get(kind, f"Add{''.join(words)}")


def require(contents: Contents) -> None:
    """Require that all operators of a file are in the list.

    Raises:
        BuildError: One is not; the message names it.
    """
    missing = [kind for kind in contents.ops if kind not in OPERATORS]
    if missing:
        raise BuildError(
            f"TensorFlow Lite for Microcontrollers has no {' and no '.join(missing)}; change that layer, or export "
            "with --target generic for LiteRT"
        )


def write(kinds: Iterable[str]) -> str:
    """Write the header with the resolver of these operators."""
    methods = sorted({method(kind) for kind in kinds})
    lines = "\n".join(f"  TF_LITE_ENSURE_STATUS(resolver.{name}());" for name in methods)
    return _TEXT.format(count=len(methods), lines=lines)
