"""The rule that turns a picture into a model's input, and where each part of it is known from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal, get_args

from mobilenet_edge.errors import UsageError

Colour = Literal["rgb", "bgr", "grey"]
Fit = Literal["crop", "stretch", "pad"]
# Where a part of the rule is known from. "input" is the shape of the model's input; "built-in" is the rule of a
# published model that mnet built; "layer" was read from layers at the head of the model; "grid" follows from the
# quantisation of the file's input; "inferred" fits the statistics of the model's first batch norm.
Origin = Literal["stated", "built-in", "layer", "metadata", "input", "grid", "inferred", "assumed"]
PARTS: Final = ("size", "colour", "fit", "crop", "filter", "pixels")
COLOURS: Final[tuple[Colour, ...]] = get_args(Colour)
FITS: Final[tuple[Fit, ...]] = get_args(Fit)
FILTERS: Final = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")


@dataclass(frozen=True)
class Preprocess:
    """How a picture becomes a model's input.

    The picture is fitted to `size`, its pixels 0..255 are put into the order of `colour`, and channel c becomes
    `pixel * scale[c] + offset[c]`. Two rules are equal if they make the same input, wherever they are known from.

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
        evidence: What inferred pixels rest on, in words; empty for others.

    Raises:
        UsageError: A value is out of range, or `scale` or `offset` have not one number per channel.
    """

    size: tuple[int, int] = (224, 224)
    colour: Colour = "rgb"
    fit: Fit = "crop"
    crop: float = 0.875
    filter: str = "bilinear"
    scale: tuple[float, ...] = (1 / 127.5,) * 3
    offset: tuple[float, ...] = (-1.0,) * 3
    pad: tuple[int, int, int] = (0, 0, 0)
    origin: Mapping[str, Origin] = field(default_factory=dict, compare=False)
    evidence: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for name, value, known in (
            ("filter", self.filter, FILTERS),
            ("colour", self.colour, COLOURS),
            ("fit", self.fit, FITS),
        ):
            if value not in known:
                raise UsageError(f"{name} {value!r} is not known; it is one of {', '.join(known)}")
        if not 0 < self.crop <= 1:
            raise UsageError(f"crop {self.crop:g} is not a share of a side; it lies above 0 and at most at 1")
        if len(self.size) != 2 or min(self.size) < 1:
            raise UsageError(f"an image of {self.size} pixels cannot be made; give a height and a width")
        if not len(self.scale) == len(self.offset) == self.channels:
            raise UsageError(
                f"{self.colour} has {self.channels} channels, but there are {len(self.scale)} scales and "
                f"{len(self.offset)} offsets"
            )
        if not all(map(math.isfinite, (*self.scale, *self.offset))) or 0 in self.scale:
            raise UsageError(f"pixels cannot be scaled by {self.scale} and moved by {self.offset}")

    @classmethod
    def for_input(cls, height: int, width: int, channels: int = 3) -> Preprocess:
        """Return the rule that is assumed for an input, of which only the shape is known."""
        known: dict[str, Origin] = {"size": "input"}
        if channels == 1:
            return cls((height, width), "grey", scale=(1 / 127.5,), offset=(-1.0,), origin={**known, "colour": "input"})
        return cls((height, width), origin=known)

    @property
    def channels(self) -> int:
        """Number of channels of the input: 1 or 3."""
        return 1 if self.colour == "grey" else 3

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the input."""
        return (*self.size, self.channels)

    @cached_property
    def fitting(self) -> Preprocess:
        """The part that `prepare.fit` needs, with raw pixels: rules that share it share the pictures that it makes."""
        return replace(self, scale=(1.0,) * self.channels, offset=(0.0,) * self.channels, origin={}, evidence="")

    @property
    def range(self) -> tuple[float, float]:
        """Least and greatest value that any pixel can become."""
        ends = [
            scale * pixel + offset for scale, offset in zip(self.scale, self.offset, strict=True) for pixel in (0, 255)
        ]
        return min(ends), max(ends)

    def of(self, part: str) -> Origin:
        """Return where a part is known from."""
        return self.origin.get(part, "assumed")

    def known(self, origin: Origin, *parts: str) -> Preprocess:
        """Return the same rule with some parts known from `origin`, all by default."""
        return replace(self, origin={**self.origin, **dict.fromkeys(parts or PARTS, origin)})

    def with_pixels(self, scale: Sequence[float], offset: Sequence[float], origin: Origin) -> Preprocess:
        """Return the same rule with other pixels; one number serves for every channel."""
        scale, offset = (tuple(each) * (self.channels if len(each) == 1 else 1) for each in (scale, offset))
        made = replace(self, scale=scale, offset=offset, evidence="")
        return made.known(origin, "pixels")
