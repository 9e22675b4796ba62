"""What flows between layers while a model is read: the picture on its way in, then tensors of the graph."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.graph import NO_PADDING, Padding

Array64 = NDArray[np.float64]
Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Affine:
    """A scale and a shift of each channel, float64; of each element where they have a map's shape."""

    scale: Array64
    shift: Array64

    def then(self, scale: Array64, shift: Array64) -> Affine:
        """Return this map followed by another."""
        return Affine(self.scale * scale, self.shift * scale + shift)

    def is_scalar(self, scale: float, shift: float) -> bool:
        """Whether every element is scaled and shifted by these two numbers."""
        return self.scale.ndim == self.shift.ndim == 0 and (float(self.scale), float(self.shift)) == (scale, shift)

    @property
    def parts(self) -> tuple[Array64, Array64]:
        """The scale and the shift."""
        return self.scale, self.shift

    @property
    def per_channel(self) -> bool:
        """Whether all pixels are treated alike."""
        return self.scale.ndim <= 1 and self.shift.ndim <= 1


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor in Keras, and how it follows from one of the graph.

    The graph's tensor goes through `affine`, then `padding`; its elements in order have the shape they have in Keras.

    Attributes:
        name: Of the graph's tensor.
        held: Its shape in the graph: a map (h, w, c) or a vector (c,).
        shape: Its shape in Keras without the batch.
        affine: Not yet part of any node.
        padding: Zeros that no node has taken up yet.
        gate: Whether the value is relu6(x + 3), x the graph's tensor: most of a hard sigmoid.
        shared: Whether other layers read it, or a tensor it is a view of.
        doubtful: Whether a layer that cannot be exported lies before it.
    """

    name: str
    held: Shape
    shape: Shape
    affine: Affine | None = None
    padding: Padding = NO_PADDING
    gate: bool = False
    shared: bool = False
    doubtful: bool = False

    @property
    def is_vector(self) -> bool:
        """Whether the graph holds it without height and width."""
        return len(self.held) == 1

    @property
    def is_map(self) -> bool:
        """Whether Keras sees height, width and channels as the graph holds them, padding included."""
        return len(self.held) == 3 and self.shape == self.padded

    @property
    def padded(self) -> Shape:
        """Shape of the map with its padding."""
        (top, bottom), (left, right) = self.padding
        return (self.held[0] + top + bottom, self.held[1] + left + right, self.held[2])


@dataclass(frozen=True, eq=False)
class Pixels:
    """The picture before the first layer that computes: `raw[..., order] * scale + shift`.

    Attributes:
        order: Channels of the model's input.
        affine: (c,) each.
        size: Height and width; None where any size goes in.
        fit: How a picture comes to `size`, None where the model does not say.
        crop: Share of each side that is kept.
        filter: Name of Keras's interpolation, None where nothing is resized.
        single: Whether it is one channel without an axis for it.
        layers: Names of the layers it went through that change it.
    """

    order: tuple[int, ...]
    affine: Affine
    size: tuple[int, int] | None
    fit: str | None = None
    crop: float | None = None
    filter: str | None = None
    single: bool = False
    layers: tuple[str, ...] = ()
    shared: bool = False
    doubtful: bool = False

    def through(self, layer: str, **changes: object) -> Pixels:
        """Return the picture changed by a layer."""
        return replace(self, layers=(*self.layers, layer), **changes)  # type: ignore[arg-type]


Value = Tensor | Pixels
