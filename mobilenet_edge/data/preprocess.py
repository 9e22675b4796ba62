"""The rule that turns a picture into a model's input, and where each part of it is known from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Colour = Literal["rgb", "bgr", "grey"]
Fit = Literal["crop", "stretch", "pad"]
# Where a part of the rule is known from. "built-in" is the rule of a published model that mnet built; "layer" was
# read from layers at the head of the model; "grid" follows from the quantisation of the file's input.
Origin = Literal["stated", "built-in", "layer", "metadata", "grid", "inferred", "assumed"]
PARTS: Final = ("size", "colour", "fit", "crop", "filter", "pixels")


@dataclass(frozen=True)
class Preprocess:
    """How a picture becomes a model's input.

    The picture is fitted to `size`, its pixels 0..255 are put into the order of `colour`, and channel c becomes
    `pixel * scale[c] + offset[c]`.

    Attributes:
        size: Height and width in pixels.
        colour: Channels of the input, in order; "grey" is one channel.
        fit: "crop" takes the centre `crop` of the largest rectangle of the input's shape, "stretch" the whole picture
            without keeping its shape, "pad" the whole picture within bars of the colour `pad`.
        crop: Share of each side that "crop" keeps.
        filter: Name of Pillow's resampling filter, in lower case.
        scale: One factor per channel, in the order of `colour`.
        offset: One summand per channel, in the order of `colour`.
        pad: Red, green and blue of the bars.
        origin: Where each of `PARTS` is known from; "pixels" are `scale` and `offset` together. What is not named is
            "assumed".
    """

    size: tuple[int, int] = (224, 224)
    colour: Colour = "rgb"
    fit: Fit = "crop"
    crop: float = 0.875
    filter: str = "bilinear"
    scale: tuple[float, ...] = (1 / 127.5,) * 3
    offset: tuple[float, ...] = (-1.0,) * 3
    pad: tuple[int, int, int] = (0, 0, 0)
    origin: Mapping[str, Origin] = field(default_factory=dict)

    @property
    def channels(self) -> int:
        """Number of channels of the input: 1 or 3."""
        return 1 if self.colour == "grey" else 3
