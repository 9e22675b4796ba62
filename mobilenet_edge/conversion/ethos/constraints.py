"""List the operators that Vela 5 places on an Ethos-U, and the constraints that a MobileNet might break.

Both are from `vela --supported-ops-report`. A constraint returns why an operator breaks it, or "". Those that are not
here are of operators that mnet does not write; `UNCHECKED` names them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from mobilenet_edge.conversion.coral.limits import Step
from mobilenet_edge.conversion.ethos import generation
from mobilenet_edge.formats.contents import Tensor

SOURCE: Final = "Vela 5.2.0 (vela --supported-ops-report)"
Constraint = Callable[[Step], str]

_SHARED: Final = """
ABS ADD ARG_MAX AVERAGE_POOL_2D BATCH_MATMUL CONCATENATION CONV_2D DEPTHWISE_CONV_2D ELU EXP EXPAND_DIMS
FULLY_CONNECTED GELU HARD_SWISH LEAKY_RELU LOG LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG PACK PAD
PADV2 PRELU QUANTIZE REDUCE_MAX REDUCE_MIN RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR
RESIZE_NEAREST_NEIGHBOR REVERSE_V2 RSQRT SLICE SOFTMAX SPLIT SPLIT_V SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM
TANH TILE TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK
"""
_U85_ALONE: Final = """
ASSIGN_VARIABLE CAST DIV EQUAL GATHER GREATER GREATER_EQUAL LESS LESS_EQUAL LOGICAL_AND LOGICAL_NOT LOGICAL_OR
NOT_EQUAL READ_VARIABLE REDUCE_ALL REDUCE_ANY SCATTER_ND SELECT SELECT_V2
"""
_OTHERS: Final = """
ARG_MAX BATCH_MATMUL ELU GELU LOG REVERSE_V2 RSQRT SPLIT SPLIT_V STRIDED_SLICE TRANSPOSE TRANSPOSE_CONV
UNIDIRECTIONAL_SEQUENCE_LSTM ASSIGN_VARIABLE GATHER READ_VARIABLE SCATTER_ND
"""
# Operators with constraints of their own that are not checked here.
UNCHECKED: Final = frozenset(_OTHERS.split())
_THIRTY_TWO: Final = """
ADD ARG_MAX BATCH_MATMUL EXPAND_DIMS FULLY_CONNECTED MIRROR_PAD MUL NEG RESHAPE SQUEEZE SUB SUM TRANSPOSE
"""
# On U55 and U65 all others are refused for int32.
_WIDE: Final = frozenset(_THIRTY_TWO.split())
_BY_CHANNEL: Final = frozenset(("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"))
_NO_SCALE: Final = "ARG_MAX CAST EXPAND_DIMS GATHER MIRROR_PAD PAD PADV2 QUANTIZE TRANSPOSE"
_UNSCALED: Final = frozenset(_NO_SCALE.split())
_INTEGERS: Final = ("int8", "uint8", "int16", "int32", "int64")
_PARAMETERS: Final = ("int32", "int64")
_VALID: Final = 1  # of the enum Padding
_LARGEST_SAME: Final = 8
_LARGEST_STRIDE: Final = 3
_LARGEST_AXIS: Final = 4096


def kinds(accelerator: str) -> frozenset[str]:
    """Return the operators that an accelerator runs."""
    return frozenset(_SHARED.split() + (_U85_ALONE.split() if generation(accelerator) == "u85" else []))


def refusal(step: Step, accelerator: str) -> str:
    """Return why Vela places an operator on the CPU, empty if it does not."""
    kind, older = step.operator.kind, generation(accelerator) != "u85"
    if kind not in kinds(accelerator):
        return f"not among the operators that the Ethos-{generation(accelerator).upper()} runs"
    constraints: list[Constraint] = [fixed, integer, lambda each: scaled(each, older)]
    constraints += [narrow] if older else []
    constraints += _OF_KIND.get(kind, ())
    constraints += [short_stride] if older and kind == "DEPTHWISE_CONV_2D" else []
    constraints += [lambda each: resized(each, older)] if kind.startswith("RESIZE_") else []
    return next((reason for constraint in constraints if (reason := constraint(step))), "")


def features(step: Step) -> tuple[Tensor, ...]:
    """Return inputs and outputs without parameters such as axes, shapes and biases."""
    return tuple(tensor for tensor in step.tensors if not (tensor.constant_bytes and tensor.dtype in _PARAMETERS))


def fixed(step: Step) -> str:
    """Require sizes that are known at compile time."""
    for tensor in step.tensors:
        if any(side < 0 for side in tensor.shape):
            return f"open size: {tensor.name} is {list(tensor.shape)}; fix the batch at 1 and every side"
    return ""


def integer(step: Step) -> str:
    """Require integers."""
    return next((f"{each.name} is {each.dtype}" for each in features(step) if each.dtype not in _INTEGERS), "")


def scaled(step: Step, older: bool) -> str:
    """Require a scale of every 8-bit tensor, and one only, but for the weights of convolutions."""
    for tensor in features(step):
        if not tensor.scales and tensor.dtype in ("int8", "uint8") and step.operator.kind not in _UNSCALED:
            return f"{tensor.name} has no scale"
        if len(tensor.scales) > 1 and step.operator.kind not in _BY_CHANNEL:
            return f"{tensor.name} has a scale per channel"
    if older and any(not each.scales for each in features(step)) and step.operator.kind not in _UNSCALED:
        return "a tensor has no scale"
    return ""


def narrow(step: Step) -> str:
    """Require fewer than 32 bits."""
    if step.operator.kind in _WIDE:
        return ""
    return next((f"{each.name} is {each.dtype}" for each in features(step) if each.dtype == "int32"), "")


def integer_weights(step: Step) -> str:
    """Require 8-bit weights and a constant bias."""
    if len(step.inputs) > 1 and step.inputs[1].dtype not in ("int8", "uint8"):
        return f"its weights are {step.inputs[1].dtype}, not of 8 bits"
    if len(step.inputs) > 2 and not step.inputs[2].constant_bytes:
        return "its bias must be constant, not computed"
    return ""


def short_stride(step: Step) -> str:
    """Require strides of at most 3."""
    strides = [step.operator.options[f"stride_{side}"] for side in "wh"]
    return f"its stride is {max(strides)}, more than {_LARGEST_STRIDE}" if max(strides) > _LARGEST_STRIDE else ""


def pooled(step: Step) -> str:
    """Require a window of at most 8 by 8 where it is padded."""
    options = step.operator.options
    window = max(options["filter_w"], options["filter_h"])
    padded = options["padding"] != _VALID
    return f"its padded window is {window} wide, more than {_LARGEST_SAME}" if padded and window > _LARGEST_SAME else ""


def matching(step: Step) -> str:
    """Require the same scale and zero point of inputs and output."""
    found = {(tensor.scales, tensor.zero_points or (0,)) for tensor in features(step)}
    return "the scales of its inputs and its output differ" if len(found) > 1 else ""


def averaged(step: Step) -> str:
    """Require constant axes, one image, and depth only where another side is 1."""
    source, axes = step.inputs[0], step.inputs[1]
    if not axes.constant_bytes:
        return "its axes must be constant, not computed"
    rank = len(source.shape)
    sides = (1,) * (4 - rank) + source.shape
    reduced = {axis % rank + 4 - rank for axis in axes.integers}
    if rank == 4 and sides[0] > 1:
        return f"its batch is {sides[0]}, not 1"
    if 3 in reduced and min(sides[1:]) > 1:
        return f"it reduces the depth of {list(source.shape)}, of which no side is 1"
    longest = max((sides[axis] for axis in reduced), default=1)
    return f"it reduces {longest} elements along an axis, not fewer than {_LARGEST_AXIS}" * (longest >= _LARGEST_AXIS)


def constant_parameters(step: Step) -> str:
    """Require constant parameters."""
    return "its parameters must be constant" * any(not tensor.constant_bytes for tensor in step.inputs[1:])


def resized(step: Step, older: bool) -> str:
    """Require the same factor in height and width: 2, 4 or 8 on U55 and U65, any power of two on U85."""
    (_, height, width, _), (_, tall, wide, _) = step.inputs[0].shape, step.outputs[0].shape
    if (height, width) in ((1, 1), (tall, wide)):
        return ""
    less = 1 if step.operator.options["align_corners"] else 0
    factors = {(new - less) / max(old - less, 1) for new, old in ((tall, height), (wide, width))}
    shown = " and ".join(f"{factor:g}" for factor in sorted(factors))
    if not older:
        return "" if all(math.log2(factor) % 1 == 0 for factor in factors) else f"it scales by {shown}, no power of two"
    allowed = {2.0} if step.operator.options.get("half_pixel_centers") else {2.0, 4.0, 8.0}
    return "" if len(factors) == 1 and factors <= allowed else f"it scales by {shown}"


_OF_KIND: Final[Mapping[str, tuple[Constraint, ...]]] = {
    "AVERAGE_POOL_2D": (pooled,),
    "CONV_2D": (integer_weights,),
    "DEPTHWISE_CONV_2D": (integer_weights,),
    "FULLY_CONNECTED": (integer_weights,),
    "MAXIMUM": (matching,),
    "MEAN": (averaged,),
    "MINIMUM": (matching,),
    "PAD": (constant_parameters,),
    "SLICE": (constant_parameters,),
}
