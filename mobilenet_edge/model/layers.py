"""The layer table of a MobileNet, and the arithmetic on it: MACs, weights, activations, file sizes.

Exact integers from the shapes alone; docs/getting-started.md says what is counted and what is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Final, Literal, assert_never

from mobilenet_edge.model.spec import BODY, STEM, V2_BODY, V2_HEAD, ModelSpec, divisible

Kind = Literal["convolution", "depthwise", "pointwise", "classifier"]
KINDS: Final[tuple[Kind, ...]] = ("convolution", "depthwise", "pointwise", "classifier")


@dataclass(frozen=True)
class Layer:
    """One layer that holds weights, under its Keras name.

    Attributes:
        name: Name in `keras.applications`.
        kind: What sort of convolution it is.
        inputs: Input channels, M in the paper.
        outputs: Output channels, N in the paper.
        kernel: Side of the square kernel, D_K in the paper.
        stride: Step in both directions.
        size: Side of the square output in pixels, D_G in the paper.
        norm: Name of the batch norm that Keras gives it in place of a bias; empty for none.
        clipped: Whether a ReLU6 follows.
        held: Elements that wait beside its input: of the block's input, which its output or a later one is added to.
        added: What its output is added to: the input of the layer so many back, itself counted; 0 for nothing.
        dense: Whether it is a Dense layer in Keras, a convolution otherwise.
    """

    name: str
    kind: Kind
    inputs: int
    outputs: int
    kernel: int
    stride: int
    size: int
    norm: str = ""
    clipped: bool = True
    held: int = 0
    added: int = 0
    dense: bool = False

    @property
    def weights(self) -> int:
        """Elements of the kernel."""
        fan_in = 1 if self.kind == "depthwise" else self.inputs
        return self.kernel**2 * fan_in * self.outputs

    @property
    def biases(self) -> int:
        """Biases after folding: one an output channel, and so are an int8 kernel's scales."""
        return self.outputs

    @property
    def parameters(self) -> int:
        """Weights and biases after batch norm is folded in."""
        return self.weights + self.biases

    @property
    def keras_parameters(self) -> int:
        """What Keras counts: batch norm is gamma, beta, mean and variance, four values a channel."""
        return self.weights + (4 if self.norm else 1) * self.outputs

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference: each weight once for every output pixel."""
        return self.weights * self.size**2

    @property
    def activations(self) -> int:
        """Elements of the output."""
        return self.size**2 * self.outputs

    @property
    def input_elements(self) -> int:
        """Elements of the input."""
        return (self.size * self.stride) ** 2 * self.inputs


@dataclass(frozen=True)
class Block:
    """A depthwise separable convolution: a depthwise layer and the pointwise one that mixes its channels."""

    depthwise: Layer
    pointwise: Layer

    @property
    def macs(self) -> int:
        """Cost of both: D_K² · M · D_G² + M · N · D_G² (equation 5 of arXiv:1704.04861)."""
        return self.depthwise.macs + self.pointwise.macs

    @property
    def standard_macs(self) -> int:
        """Cost of the standard convolution it replaces: D_K² · M · N · D_G² (equation 2)."""
        return self.depthwise.kernel**2 * self.depthwise.inputs * self.pointwise.outputs * self.pointwise.size**2

    @property
    def ratio(self) -> float:
        """What is left of that cost: 1/N + 1/D_K² (section 3.1)."""
        return 1 / self.pointwise.outputs + 1 / self.depthwise.kernel**2


def table(spec: ModelSpec) -> tuple[Layer, ...]:
    """List the layers of a variant that hold weights, first to last."""
    match spec.family:
        case "mobilenet_v1":
            return tuple(_v1(spec))
        case "mobilenet_v2":
            return tuple(_v2(spec))
        case _:
            assert_never(spec.family)


def blocks(spec: ModelSpec) -> tuple[Block, ...]:
    """List the depthwise separable blocks of a variant, first to last."""
    return tuple(Block(*pair) for pair in pairwise(table(spec)) if pair[0].kind == "depthwise")


def _v1(spec: ModelSpec) -> Iterator[Layer]:
    """Yield 28 layers (Table 1 of arXiv:1704.04861)."""

    def layer(name: str, kind: Kind, inputs: int, outputs: int, kernel: int, stride: int) -> Layer:
        return Layer(name, kind, inputs, outputs, kernel, stride, size, f"{name}_bn")

    size, width = spec.resolution // 2, spec.width(STEM)
    yield layer("conv1", "convolution", spec.channels, width, 3, 2)
    for number, (stride, filters) in enumerate(BODY, start=1):
        size //= stride
        yield layer(f"conv_dw_{number}", "depthwise", width, width, 3, stride)
        inputs, width = width, spec.width(filters)
        yield layer(f"conv_pw_{number}", "pointwise", inputs, width, 1, 1)
    yield Layer("conv_preds", "classifier", width, spec.classes, kernel=1, stride=1, size=1, clipped=False)


def _v2(spec: ModelSpec) -> Iterator[Layer]:
    """Yield 53 layers: 17 inverted residuals between two convolutions and the classifier (arXiv:1801.04381)."""
    size, width, number = spec.resolution // 2, divisible(STEM * spec.alpha), count()
    yield Layer("Conv1", "convolution", spec.channels, width, 3, 2, size, "bn_Conv1")
    for expansion, filters, repeats, first in V2_BODY:
        for stride in (first, *[1] * (repeats - 1)):
            outputs = spec.width(filters)
            yield from _inverted(next(number), width, outputs, expansion, stride, size)
            size, width = size // stride, outputs
    head = max(V2_HEAD, divisible(V2_HEAD * spec.alpha))
    yield Layer("Conv_1", "pointwise", width, head, 1, 1, size, "Conv_1_bn")
    yield Layer("predictions", "classifier", head, spec.classes, 1, 1, 1, clipped=False, dense=True)


def _inverted(number: int, inputs: int, outputs: int, expansion: int, stride: int, size: int) -> Iterator[Layer]:
    """Yield the layers of one inverted residual; `size` is its input's side."""
    prefix, inner = f"block_{number}" if number else "expanded_conv", expansion * inputs
    added = (3 if number else 2) if stride == 1 and inputs == outputs else 0
    held = size**2 * inputs if added else 0
    if number:
        yield Layer(f"{prefix}_expand", "pointwise", inputs, inner, 1, 1, size, f"{prefix}_expand_BN")
    size //= stride
    name = f"{prefix}_depthwise"
    yield Layer(name, "depthwise", inner, inner, 3, stride, size, f"{name}_BN", held=held)
    name = f"{prefix}_project"
    yield Layer(name, "pointwise", inner, outputs, 1, 1, size, f"{name}_BN", clipped=False, held=held, added=added)


def macs(spec: ModelSpec) -> int:
    """Count the multiply-accumulates of one inference."""
    return sum(layer.macs for layer in table(spec))


def parameters(spec: ModelSpec) -> int:
    """Count weights and biases after folding: what an artifact holds."""
    return sum(layer.parameters for layer in table(spec))


def keras_parameters(spec: ModelSpec) -> int:
    """Count parameters as `keras.Model.count_params` does, batch norm unfolded."""
    return sum(layer.keras_parameters for layer in table(spec))


def peak_activations(spec: ModelSpec) -> int:
    """Count the elements alive while the greediest layer runs: its input, its output and what waits for a sum."""
    return max(layer.input_elements + layer.activations + layer.held for layer in table(spec))


def float32_bytes(spec: ModelSpec) -> int:
    """Smallest size of a float32 file: 4 bytes a parameter; the graph and the metadata come on top."""
    return 4 * parameters(spec)


def int8_bytes(spec: ModelSpec) -> int:
    """Smallest size of a per-channel int8 file: 1 byte a weight, 4 a bias, 4 a channel's scale."""
    return sum(layer.weights + 8 * layer.biases for layer in table(spec))
