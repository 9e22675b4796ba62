"""Convolutions and dense layers: kernels as the graph has them, with what is pending before them folded in."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from mobilenet_edge.graph import NO_PADDING, Op, Padding, same_padding
from mobilenet_edge.model.read.activations import activate
from mobilenet_edge.model.read.applied import Applied
from mobilenet_edge.model.read.folding import Folding
from mobilenet_edge.model.read.unsupported import Unsupported
from mobilenet_edge.model.read.values import Array64, Shape, Tensor, Value


def conv(folding: Folding, call: Applied) -> Value:
    """Take up a Conv2D; one of as many groups as channels is a depthwise convolution."""
    source, filters, groups = _source(folding, call), int(call.options["filters"]), int(call.options.get("groups", 1))
    channels = source.shape[-1]
    kernel, bias = _read(call, (*call.pair("kernel_size"), channels // groups, filters), filters)
    if groups == 1:
        made = convolve(folding, call.name, source, kernel, bias, call.stride(), same=call.padded())
    elif groups == channels == filters:
        made = convolve(folding, call.name, source, kernel[:, :, 0], bias, call.stride(), same=call.padded())
    else:
        raise Unsupported(f"has {groups} groups; mnet takes 1, or as many as channels")
    return activate(folding, made, call.activation())


def depthwise(folding: Folding, call: Applied) -> Value:
    """Take up a DepthwiseConv2D; on a grey picture, one with a multiplier is a plain convolution."""
    source, multiplier = _source(folding, call), int(call.options.get("depth_multiplier", 1))
    channels = source.shape[-1]
    if 1 not in (multiplier, channels):
        raise Unsupported(f"has the depth multiplier {multiplier}; mnet takes 1")
    kernel, bias = _read(call, (*call.pair("kernel_size"), channels, multiplier), channels * multiplier)
    kernel = kernel[..., 0] if multiplier == 1 else kernel
    made = convolve(folding, call.name, source, kernel, bias, call.stride(), same=call.padded())
    return activate(folding, made, call.activation())


def separable(folding: Folding, call: Applied) -> Value:
    """Take up a SeparableConv2D as a depthwise and a 1 x 1 convolution."""
    source, filters = _source(folding, call), int(call.options["filters"])
    channels = source.shape[-1]
    if int(call.options.get("depth_multiplier", 1)) != 1:
        raise Unsupported(f"has the depth multiplier {call.options['depth_multiplier']}; mnet takes 1")
    shapes = [(*call.pair("kernel_size"), channels, 1), (1, 1, channels, filters)]
    first, second, *rest = call.read([*shapes, *_bias_shape(call, filters)])
    name, none = f"{call.name}_depthwise", np.zeros(channels)
    middle = convolve(folding, name, source, first[..., 0], none, call.stride(), same=call.padded())
    made = convolve(folding, call.name, middle, second, rest[0] if rest else np.zeros(filters), 1, same=False)
    return activate(folding, made, call.activation())


def dense(folding: Folding, call: Applied) -> Value:
    """Take up a Dense: over the channels of a map as a 1 x 1 convolution, over a flattened map as one of its size."""
    source, units = folding.tensor(call.value), int(call.options["units"])
    kernel, bias = _read(call, (source.shape[-1], units), units)
    if source.padding != NO_PADDING:
        source = folding.settle(source, f"{call.name}_padding")
    shape, held = (*source.shape[:-1], units), source.held
    if not source.is_vector and source.shape[-1] == held[-1] and math.prod(source.shape) > held[-1]:
        made = _fold_forward(folding, call.name, "conv", source, kernel[None, None], bias, (*held[:2], units), shape)
    elif not source.is_vector and held[:2] != (1, 1) and source.shape == (math.prod(held),):
        whole = kernel.reshape(*held, units)
        made = _fold_forward(folding, call.name, "conv", source, whole, bias, (1, 1, units), shape)
    elif source.shape[-1] == held[-1]:
        source = source if source.is_vector else folding.vector(source, f"{source.name}_pixel")
        made = _fold_forward(folding, call.name, "dense", source, kernel, bias, (units,), shape)
    else:
        raise Unsupported(f"takes {source.shape}, reshaped from a map of {held}, apart from its channels", placed=True)
    return activate(folding, made, call.activation())


def convolve(
    folding: Folding, name: str, source: Tensor, kernel: Array64, bias: Array64, stride: int, *, same: bool
) -> Tensor:
    """Append a convolution, of a pooled pixel too.

    Args:
        folding: The graph so far.
        name: Of the node.
        source: What it reads.
        kernel: float64 (kh, kw, in, out), or (kh, kw, channels) of a depthwise one.
        bias: float64 (out,).
        stride: Of both axes.
        same: Whether it is padded so that only the stride makes its output smaller.
    """
    if source.is_vector:
        return _of_pixel(folding, name, source, kernel, bias, same=same)
    if not source.is_map:
        raise Unsupported(f"takes {source.shape}, reshaped from a map of {source.held}", placed=True)
    sides = source.shape[:2]
    added = [
        same_padding(side, size, stride) if same else (0, 0) for side, size in zip(sides, kernel.shape, strict=False)
    ]
    rows, columns = ((a + c, b + d) for (a, b), (c, d) in zip(source.padding, added, strict=True))
    padding: Padding = (rows, columns)
    sizes = [
        (side + sum(more) - size) // stride + 1 for side, more, size in zip(sides, added, kernel.shape, strict=False)
    ]
    if min(sizes) < 1:
        raise Unsupported(f"has a kernel of {kernel.shape[:2]}, larger than its input of {sides}", placed=True)
    shape = (*sizes, kernel.shape[-1])
    op: Op = "conv" if kernel.ndim == 4 else "depthwise"
    return _fold_forward(folding, name, op, source, kernel, bias, shape, shape, stride, padding)


def _of_pixel(folding: Folding, name: str, source: Tensor, kernel: Array64, bias: Array64, *, same: bool) -> Tensor:
    """A convolution of one pooled pixel, as Keras's MobileNet ends: only one place of its kernel meets the pixel."""
    if source.shape[:-1] != (1, 1) or source.padding != NO_PADDING or kernel.ndim != 4:
        raise Unsupported("follows a pooled pixel; mnet takes a Conv2D or a Dense there", placed=True)
    if not same and kernel.shape[:2] != (1, 1):
        raise Unsupported("has a kernel larger than the pooled pixel before it", placed=True)
    row, column = (same_padding(1, size, 1)[0] for size in kernel.shape[:2])
    width = kernel.shape[-1]
    return _fold_forward(folding, name, "dense", source, kernel[row, column], bias, (width,), (1, 1, width))


def _fold_forward(
    folding: Folding,
    name: str,
    op: Op,
    source: Tensor,
    kernel: Array64,
    bias: Array64,
    held: Shape,
    shape: Shape,
    stride: int = 1,
    padding: Padding = NO_PADDING,
) -> Tensor:
    """Append a node with weights, what is pending before it multiplied into them.

    A shift cannot go through zeros around the input: it becomes a node of its own.
    """
    source = folding.absorb(source) or source
    if source.affine is not None and padding != NO_PADDING and source.affine.shift.any():
        source = folding.settle(source, f"{name}_input", pads=False)
    if source.affine is not None:
        if not source.affine.per_channel and kernel.shape[:-1] != source.held:
            raise Unsupported("follows a scale of each element that no dense layer takes up", placed=True)
        scale, shift = (
            np.broadcast_to(each, source.held[-1:]) if each.ndim == 0 else each for each in source.affine.parts
        )
        if op != "depthwise":
            scale, shift = scale[..., None], shift[..., None]
        with np.errstate(all="ignore"):
            bias = bias + (kernel * shift).sum(axis=tuple(range(kernel.ndim - 1)))
            kernel = kernel * scale
        source = replace(source, affine=None)
    return folding.add(name, op, [source], held, shape, weight=kernel, bias=bias, stride=stride, padding=padding)


def _source(folding: Folding, call: Applied) -> Tensor:
    rates = call.pair("dilation_rate")
    if rates != (1, 1):
        raise Unsupported(f"has dilation {rates}; mnet takes plain convolutions")
    source = folding.tensor(call.value)
    if len(source.shape) != 3:
        raise Unsupported(f"takes a map, and gets {source.shape}", placed=True)
    return source


def _bias_shape(call: Applied, width: int) -> list[Shape]:
    return [(width,)] if call.options.get("use_bias", True) else []


def _read(call: Applied, kernel: Shape, width: int) -> tuple[Array64, Array64]:
    weight, *rest = call.read([kernel, *_bias_shape(call, width)])
    return weight, rest[0] if rest else np.zeros(width)
