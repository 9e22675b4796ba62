"""An image as the tensor a model takes: layout, element type, integer grid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.device import picture
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.metadata import Quantisation

_CHANNELS: Final = frozenset((1, 3))


@dataclass(frozen=True)
class ImageInput:
    """The one input of an image classifier.

    Attributes:
        model: Names the model in messages.
        shape: (1, height, width, channels) or (1, channels, height, width); 1 channel or 3.
        dtype: Name of a numpy type.
        scale: Of an integer input, real = (integer - zero_point) * scale; None where the runtime does not know.
        zero_point: Likewise.

    Raises:
        InputError: The shape is not that of one RGB or grey image.
    """

    model: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None = None
    zero_point: float | None = None

    def __post_init__(self) -> None:
        if len(self.shape) != 4 or self.shape[0] != 1 or not _CHANNELS & {self.shape[1], self.shape[3]}:
            raise InputError(
                f"{self.model} takes {self.shape}, not one RGB or grey image; give an image classifier, batch 1"
            )
        if min(self.size) < 1:
            raise InputError(f"{self.model} leaves the height or width of its images open; give it a fixed size")

    @property
    def channels_first(self) -> bool:
        """Whether the layout is NCHW, as of models from PyTorch."""
        return self.shape[3] not in _CHANNELS

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image, in pixels."""
        height, width = self.shape[2:] if self.channels_first else self.shape[1:3]
        return height, width

    @property
    def channels(self) -> int:
        """Number of channels: 1 or 3."""
        return self.shape[1] if self.channels_first else self.shape[3]

    @property
    def needs_grid(self) -> bool:
        """Whether the input is integer on a grid that is not known yet."""
        return np.dtype(self.dtype).kind in "iu" and not self.scale

    def with_grid(self, grid: Quantisation) -> ImageInput:
        """Take the grid from the artifact's metadata."""
        return replace(self, scale=grid.scale, zero_point=grid.zero_point)

    @property
    def raw(self) -> Quantisation:
        """The grid of raw pixels: 0..255 of an unsigned type, -128..127 of int8."""
        return Quantisation(1.0, -128 if self.dtype == "int8" else 0)

    def limits(self) -> tuple[float, float]:
        """Least and greatest real value that an integer input on a known grid holds."""
        ends = np.iinfo(self.dtype)
        low, high = ((end - (self.zero_point or 0)) * (self.scale or 1.0) for end in (ends.min, ends.max))
        return low, high

    def fill(self, image: NDArray[np.float32]) -> NDArray[Any]:
        """Make the tensor of one preprocessed image.

        Args:
            image: (height, width, channels) float32, as `prepare.prepare` returns it.

        Returns:
            The image in `shape` and `dtype`, contiguous; integers rounded to the nearest and cut to the type's range.
        """
        return picture.fill(image, self)

    def table(self, rule: Preprocess) -> NDArray[Any]:
        """Return what each pixel value 0..255 becomes by a rule, in `dtype`: (channels, 256)."""
        levels = np.repeat(np.arange(256, dtype=np.uint8)[np.newaxis, :, np.newaxis], rule.channels, axis=2)
        row = replace(self, shape=(1, 1, 256, rule.channels))
        return np.ascontiguousarray(row.fill(picture.scale(levels, rule))[0, 0].T)


def image_input(artifact: Artifact) -> ImageInput:
    """Read the input off a model file, without a runtime.

    Raises:
        InputError: There are several, or it is not that of one image.
    """
    names = artifact.contents.inputs
    if len(names) != 1:
        raise InputError(f"{artifact.path.name} takes {len(names)} inputs, not one image; give an image classifier")
    tensor = artifact.contents.tensors[names[0]]
    # A dynamic batch is run with one image.
    shape = (1, *tensor.shape[1:]) if tensor.shape[:1] == (-1,) else tensor.shape
    quantisation = (
        (tensor.scales[0], float(tensor.zero_points[0])) if tensor.scales and tensor.zero_points else (None, None)
    )
    return ImageInput(artifact.path.name, shape, tensor.dtype, *quantisation)
