"""Check the limits of the Edge TPU's compiler on operators: each returns why an operator breaks it, or "".

The limits follow "Supported operations" and "Model requirements" of Coral's page; see `rules.SOURCE`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mobilenet_edge.formats.contents import Contents, Operator, Tensor

SOFTMAX_ELEMENTS: Final = 16_000
# Coral's page: "certain reshapes might not be mapped for large tensor sizes". It gives no figure; this one is a guess.
LARGE_ELEMENTS: Final = 1 << 16
_INNERMOST: Final = 3


@dataclass(frozen=True)
class Step:
    """An operator with its input and output tensors."""

    operator: Operator
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @classmethod
    def of(cls, contents: Contents, operator: Operator) -> Step:
        """Look up an operator's tensors."""
        inputs, outputs = (
            tuple(contents.tensors[name] for name in names) for names in (operator.inputs, operator.outputs)
        )
        return cls(operator, inputs, outputs)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Inputs and outputs."""
        return (*self.inputs, *self.outputs)


Limit = Callable[[Step], str]


def integer(step: Step) -> str:
    """Require tensors quantised to 8 bits; constants may also be int32, as biases, axes and shapes are."""
    for tensor in step.tensors:
        if tensor.dtype in ("int8", "uint8") and tensor.scales:
            continue
        if tensor.dtype == "int32" and tensor.constant_bytes:
            continue
        fact = "has no scale" if tensor.dtype in ("int8", "uint8") else f"is {tensor.dtype}"
        return f"not quantised to 8 bits: {tensor.name} {fact}"
    return ""


def fixed(step: Step) -> str:
    """Require sizes that are known at compile time, of which only the three innermost are above 1."""
    for tensor in step.tensors:
        if any(side < 0 for side in tensor.shape):
            return f"open size: {tensor.name} is {list(tensor.shape)}; fix the batch at 1 and every side"
        # Constants are exempt, because the kernel of a convolution has four sizes above 1.
        if not tensor.constant_bytes and any(side > 1 for side in tensor.shape[:-_INNERMOST]):
            return f"too many sizes above 1: {tensor.name} is {list(tensor.shape)}, of which only the last 3 may be"
    return ""


def constant(**indexes: int) -> Limit:
    """Require that the inputs at these indexes are constants of the file."""

    def limit(step: Step) -> str:
        for name, index in indexes.items():
            if index < len(step.inputs) and not step.inputs[index].constant_bytes:
                return f"its {name} must be constant, not computed"
        return ""

    return limit


def unfused(step: Step) -> str:
    """Require that no activation is fused into the operator."""
    return "it has a fused activation" if step.operator.options["fused_activation"] else ""


def same_dilation(step: Step) -> str:
    """Require the same dilation in x and y."""
    width, height = (step.operator.options[f"dilation_{side}"] for side in "wh")
    return f"its dilation differs in x and y: {width} and {height}" if width != height else ""


def zero_padding(step: Step) -> str:
    """Require a concatenation with a constant to be a zero padding: two inputs, one of them all zeros."""
    constants = [tensor for tensor in step.inputs if tensor.constant_bytes]
    if not constants:
        return ""
    if len(step.inputs) != 2:
        return f"it joins a constant with more than one other input ({len(step.inputs)} in all)"
    zero = (constants[0].zero_points[0] if constants[0].zero_points else 0) % 256
    return "" if set(constants[0].constant) <= {zero} else "it joins a constant that is not all zeros"


def flat_output(step: Step) -> str:
    """Require an output of one dimension."""
    return _one_dimension("output", step.outputs[0])


def plain_weights(step: Step) -> str:
    """Require weights in the default format with one scale.

    TFLite added scales per channel to this operator years after the last compiler, which is from 2021.
    """
    if step.operator.options["weights_format"]:
        return "its weights are shuffled, not in the default format"
    if len(step.inputs) > 1 and len(step.inputs[1].scales) > 1:
        return "its weights have a scale per channel, which the compiler does not support here; use a CONV_2D instead"
    return ""


def small_softmax(step: Step) -> str:
    """Require one dimension of at most 16,000 elements."""
    source = step.inputs[0]
    if source.elements > SOFTMAX_ELEMENTS:
        return f"its input has {source.elements:,} elements, more than {SOFTMAX_ELEMENTS:,}"
    return _one_dimension("input", source)


def narrow_slope(step: Step) -> str:
    """Require that only the innermost size of PReLU's alpha is above 1."""
    return _one_dimension("alpha", step.inputs[1])


def unpadded_batch(step: Step) -> str:
    """Refuse padding of the batch."""
    return "it pads the batch" if any(step.inputs[1].integers[:2]) else ""


def unpacked_batch(step: Step) -> str:
    """Refuse packing along the batch."""
    return "it packs along the batch" if step.operator.options["axis"] in (0, -len(step.outputs[0].shape)) else ""


def unsplit_batch(step: Step) -> str:
    """Refuse splitting along the batch; the inputs are the axis and the value."""
    axis = step.inputs[0].integers
    return "it splits the batch" if set(axis) & {0, -len(step.inputs[1].shape)} else ""


def unreduced_batch(step: Step) -> str:
    """Refuse reduction of the batch."""
    return "it reduces the batch" if 0 in _axes(step) else ""


def depth_of_four(step: Step) -> str:
    """Require for a reduction along z that the size of z is a multiple of 4."""
    shape = step.inputs[0].shape
    last = len(shape) - 1
    reduced = last >= _INNERMOST and last in _axes(step)
    return f"it reduces along z, whose size {shape[last]} is not a multiple of 4" if reduced and shape[last] % 4 else ""


def unit_strides(step: Step) -> str:
    """Require a slice without steps, ellipsis or new axes."""
    if set(step.inputs[3].integers) - {1}:
        return f"its strides are {list(step.inputs[3].integers)}, not all 1"
    masks = [name for name in ("ellipsis_mask", "new_axis_mask") if step.operator.options[name]]
    return f"it has an {masks[0].replace('_', ' ')}" if masks else ""


def large(step: Step) -> str:
    """Warn if a tensor is large: the operator may stay on the CPU."""
    elements = max((tensor.elements for tensor in step.tensors), default=0)
    return f"may stay on the CPU: {elements:,} elements are many" if elements >= LARGE_ELEMENTS else ""


def resized(step: Step) -> str:
    """Always warn: resizes may stay on the CPU."""
    return "may stay on the CPU, to avoid a loss of precision"


def _axes(step: Step) -> set[int]:
    dimensions = len(step.inputs[0].shape)
    return {axis % dimensions for axis in step.inputs[1].integers} if dimensions else set()


def _one_dimension(what: str, tensor: Tensor) -> str:
    flat = math.prod(tensor.shape[:-1]) <= 1
    return "" if flat else f"its {what} {tensor.name} is {list(tensor.shape)}, more than one-dimensional"
