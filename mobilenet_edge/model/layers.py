"""The layer table of a MobileNet v1, and the arithmetic on it: MACs, weights, activations, file sizes.

Exact integers from the shapes alone; docs/arithmetic.md says what is counted and what is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from mobilenet_edge.model.spec import BODY, STEM, ModelSpec

Kind = Literal["convolution", "depthwise", "pointwise", "classifier"]
KINDS: Final[tuple[Kind, ...]] = ("convolution", "depthwise", "pointwise", "classifier")


@dataclass(frozen=True)
class Layer:
    """One layer that holds weights, under its Keras name.

    Attributes:
        name: Name in `keras.applications.MobileNet`.
        kind: What sort of convolution it is.
        inputs: Input channels, M in the paper.
        outputs: Output channels, N in the paper.
        kernel: Side of the square kernel, D_K in the paper.
        stride: Step in both directions.
        size: Side of the square output in pixels, D_G in the paper.
        normalised: Whether Keras gives it batch norm in place of a bias.
    """

    name: str
    kind: Kind
    inputs: int
    outputs: int
    kernel: int
    stride: int
    size: int
    normalised: bool = True

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
        return self.weights + (4 if self.normalised else 1) * self.outputs

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
    """List the 28 layers of a variant that hold weights, first to last (Table 1 of arXiv:1704.04861)."""
    size, width = spec.resolution // 2, spec.width(STEM)
    found = [Layer("conv1", "convolution", 3, width, kernel=3, stride=2, size=size)]
    for number, (stride, filters) in enumerate(BODY, start=1):
        size //= stride
        found.append(Layer(f"conv_dw_{number}", "depthwise", width, width, kernel=3, stride=stride, size=size))
        inputs, width = width, spec.width(filters)
        found.append(Layer(f"conv_pw_{number}", "pointwise", inputs, width, kernel=1, stride=1, size=size))
    found.append(Layer("conv_preds", "classifier", width, spec.classes, kernel=1, stride=1, size=1, normalised=False))
    return tuple(found)


def blocks(spec: ModelSpec) -> tuple[Block, ...]:
    """List the 13 depthwise separable blocks of a variant, first to last."""
    body = table(spec)[1:-1]
    return tuple(Block(*pair) for pair in zip(body[::2], body[1::2], strict=True))


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
    """Count the elements alive while the greediest layer runs, its input and its output."""
    return max(layer.input_elements + layer.activations for layer in table(spec))


def float32_bytes(spec: ModelSpec) -> int:
    """Smallest size of a float32 file: 4 bytes a parameter; the graph and the metadata come on top."""
    return 4 * parameters(spec)


def int8_bytes(spec: ModelSpec) -> int:
    """Smallest size of a per-channel int8 file: 1 byte a weight, 4 a bias, 4 a channel's scale."""
    return sum(layer.weights + 8 * layer.biases for layer in table(spec))
