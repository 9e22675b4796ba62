"""The rule for pixels that layers at the head of a model are: scaling, order of channels, size and fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data.preprocess import Colour, Fit, Origin, Preprocess
from mobilenet_edge.model.read.unsupported import Unsupported
from mobilenet_edge.model.read.values import Pixels

# Keras's interpolations and Pillow's filters, which, other than Keras's, smooth while they make a picture smaller.
_FILTERS: Final[Mapping[str, str]] = {
    "bilinear": "bilinear", "bicubic": "bicubic", "nearest": "nearest", "lanczos3": "lanczos", "area": "box",
}  # fmt: skip
_SWAPPED: Final[Mapping[Colour, Colour]] = {"rgb": "bgr", "bgr": "rgb", "grey": "grey"}


@dataclass(frozen=True)
class Rule:
    """What a model's first layers do to the picture it is given: the graph takes `x[..., order] * scale + offset`.

    Attributes:
        scale: One factor a channel, in the order of the graph's input.
        offset: One summand a channel, likewise.
        reverse: Whether the channels are turned round.
        fit: How a picture of another shape comes to the size, None where the model does not say.
        crop: Share of each side that is kept, None likewise.
        filter: Name of Pillow's filter, None where nothing is resized.
        layers: Names of the layers that became the rule, in order.
    """

    scale: tuple[float, ...]
    offset: tuple[float, ...]
    reverse: bool = False
    fit: Fit | None = None
    crop: float | None = None
    filter: str | None = None
    layers: tuple[str, ...] = ()

    @property
    def scales(self) -> bool:
        """Whether values change at all."""
        return any(value != 1 for value in self.scale) or any(self.offset)

    def apply(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Do to images (n, h, w, c), of the size that the graph takes, what the first layers do to their values."""
        turned = images[..., ::-1] if self.reverse else images
        scale, offset = (np.asarray(each, np.float32) for each in (self.scale, self.offset))
        return np.asarray(turned * scale + offset, np.float32)

    def onto(self, given: Preprocess) -> Preprocess:
        """Compose a preprocessing for the model as Keras has it with what its first layers do.

        Args:
            given: What the model is fed. Where nobody said, pixels as they are, 0..255.

        Returns:
            What the graph is fed, at the size of `given`. Parts that layers decide are of the origin "layer".
        """
        given = self.frame(given)
        origin: dict[str, Origin] = dict(given.origin)
        turn = -1 if self.reverse else 1
        pairs = zip(self.scale, self.offset, given.scale[::turn], given.offset[::turn], strict=True)
        scale, offset = zip(*((a * c, a * d + b) for a, b, c, d in pairs), strict=True)
        if self.scales:
            origin["pixels"] = "layer"
        if self.reverse:
            origin["colour"] = "layer"
        colour = _SWAPPED[given.colour] if self.reverse else given.colour
        return replace(given, colour=colour, scale=scale, offset=offset, origin=origin)

    def frame(self, given: Preprocess) -> Preprocess:
        """Return a preprocessing with the fit, crop and filter of the model's first layers, where they decide."""
        parts = {name: value for name in ("fit", "crop", "filter") if (value := getattr(self, name)) is not None}
        origin: dict[str, Origin] = {**given.origin, **dict.fromkeys(parts, "layer")}
        return replace(given, origin=origin, **parts)


def rule_of(picture: Pixels) -> Rule:
    """Make the rule from what the picture went through.

    Raises:
        Unsupported: The channels are neither in their order nor turned round, or resized in a way Pillow has not.
    """
    count = len(picture.order)
    straight = picture.order == tuple(range(count))
    if not straight and picture.order != tuple(reversed(range(count))):
        raise Unsupported(f"takes the channels {list(picture.order)} of the picture; mnet takes RGB and BGR")
    if picture.filter is not None and picture.filter not in _FILTERS:
        raise Unsupported(f"resizes with {picture.filter!r}; mnet takes {', '.join(_FILTERS)}")
    scale, offset = (tuple(np.broadcast_to(each, count).tolist()) for each in picture.affine.parts)
    fit = cast("Fit | None", picture.fit)
    filter_ = None if picture.filter is None else _FILTERS[picture.filter]
    return Rule(scale, offset, not straight, fit, picture.crop, filter_, picture.layers)
