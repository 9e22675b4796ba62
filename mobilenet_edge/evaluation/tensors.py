"""An image as the tensor a model takes: layout, element type, integer grid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.errors import InputError
from mobilenet_edge.formats.metadata import Preprocess, Quantisation


@dataclass(frozen=True)
class ImageInput:
    """The one input of an image classifier.

    Attributes:
        model: Names the model in messages.
        shape: (1, side, side, 3) or (1, 3, side, side).
        dtype: Name of a numpy type.
        scale: Of an integer input, real = (integer - zero_point) * scale; None where the runtime does not know.
        zero_point: Likewise; not whole where it stands for raw pixels.

    Raises:
        InputError: The shape is not that of one square RGB image.
    """

    model: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None = None
    zero_point: float | None = None

    def __post_init__(self) -> None:
        if len(self.shape) != 4 or self.shape[0] != 1 or 3 not in (self.shape[1], self.shape[3]):
            raise InputError(f"{self.model} takes {self.shape}, not one RGB image; give an image classifier, batch 1")
        height, width = self.shape[2:] if self.channels_first else self.shape[1:3]
        if height != width or width < 1:
            raise InputError(f"{self.model} takes images of {height} by {width}; only a fixed square side can be fed")

    @property
    def channels_first(self) -> bool:
        """Whether the layout is NCHW, as of models from PyTorch."""
        return self.shape[3] != 3

    @property
    def side(self) -> int:
        """Of the image, in pixels."""
        return self.shape[2]

    @property
    def needs_grid(self) -> bool:
        """Whether the input is integer on a grid that is not known yet."""
        return np.dtype(self.dtype).kind in "iu" and not self.scale

    def with_grid(self, grid: Quantisation) -> ImageInput:
        """Take the grid from the artifact's metadata."""
        return replace(self, scale=grid.scale, zero_point=grid.zero_point)

    def with_pixels(self, rule: Preprocess) -> ImageInput:
        """Take raw pixels for the grid: 0..255 of an unsigned type, -128..127 of int8."""
        lowest = -128 if self.dtype == "int8" else 0
        # rule maps pixel p to p * scale + offset; solved for p.
        return replace(self, scale=rule.scale, zero_point=lowest - rule.offset / rule.scale)

    def fill(self, image: NDArray[np.float32]) -> NDArray[Any]:
        """Make the tensor of one preprocessed image.

        Args:
            image: (side, side, 3) float32, as `images.preprocess` returns it.

        Returns:
            The image in `shape` and `dtype`, contiguous; integers rounded to the nearest and cut to the type's range.
        """
        laid_out = image.transpose(2, 0, 1) if self.channels_first else image
        if self.scale:
            limits = np.iinfo(self.dtype)
            steps = np.rint(laid_out / self.scale + (self.zero_point or 0))
            laid_out = np.clip(steps, limits.min, limits.max)
        return np.ascontiguousarray(laid_out[np.newaxis], self.dtype)
