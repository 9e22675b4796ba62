"""Layers that change the picture itself: size, crop and the order of its channels. They become the rule for pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mobilenet_edge.model.read.applied import Applied
from mobilenet_edge.model.read.folding import Folding
from mobilenet_edge.model.read.shapes import image_only
from mobilenet_edge.model.read.unsupported import Unsupported
from mobilenet_edge.model.read.values import Affine, Pixels, Value


def resizing(folding: Folding, call: Applied) -> Value:
    """Take up a Resizing: a picture of any size comes to its size by its fit.

    One of fixed size and the same proportions has been fitted before; then only the size changes.
    """
    picture = image_only(call.value)
    size = int(call.options["height"]), int(call.options["width"])
    crops, pads = (bool(call.options.get(f"{verb}_to_aspect_ratio")) for verb in ("crop", "pad"))
    fit: str | None = "crop" if crops else "pad" if pads else "stretch"
    if picture.size is not None and picture.size[0] * size[1] == picture.size[1] * size[0]:
        fit = picture.fit
    elif picture.crop is not None:
        raise Unsupported("resizes a cropped picture to other proportions", placed=True)
    crop = 1.0 if fit == "crop" and picture.crop is None else picture.crop
    return picture.through(
        call.name, size=size, fit=fit, crop=crop, filter=str(call.options.get("interpolation", "bilinear"))
    )


def centre_crop(folding: Folding, call: Applied) -> Value:
    """Take up a CenterCrop of a picture whose size is known."""
    picture = image_only(call.value)
    size = int(call.options["height"]), int(call.options["width"])
    if picture.size is None:
        raise Unsupported("crops a picture of no fixed size; put a Resizing before it", placed=True)
    if picture.size == size:
        return picture
    shares = [new / old for new, old in zip(size, picture.size, strict=True)]
    if max(shares) > 1 or picture.fit in ("stretch", "pad") or abs(shares[0] - shares[1]) > 0.01:
        raise Unsupported(
            f"crops {picture.size} to {size}, which no rule for pictures says; use crop_to_aspect_ratio=True"
        )
    return picture.through(call.name, size=size, fit="crop", crop=shares[0] * (picture.crop or 1.0))


def random_crop(folding: Folding, call: Applied) -> Value:
    """Take up a RandomCrop, which outside training crops the centre to its proportions and resizes."""
    return resizing(folding, replace(call, options={**call.options, "crop_to_aspect_ratio": True}))


def get_item(folding: Folding, call: Applied) -> Value:
    """Take up indexing of the picture's channels: `x[..., ::-1]` and `x[..., 0]`."""
    picture = image_only(call.value)
    key = call.options.get("slice_spec", call.operands[1] if len(call.operands) > 1 else None)
    *others, last = key if isinstance(key, list) else [key]
    full = [each for each in others if each is not Ellipsis and each != slice(None)]
    if full or not (Ellipsis in others or len(others) == 3):
        raise Unsupported(f"cuts a part out of the picture ({key}); mnet takes the order of its channels")
    channels = np.arange(len(picture.order))[last]
    return replace(_ordered(picture, call.name, np.atleast_1d(channels)), single=channels.ndim == 0)


def flip(folding: Folding, call: Applied) -> Value:
    """Take up a flip of the channels."""
    picture, axis = image_only(call.value), call.options.get("axis")
    if axis not in (-1, 3, [-1], [3]):
        raise Unsupported(f"flips axis {axis}; mnet takes the order of the channels")
    return _ordered(picture, call.name, np.arange(len(picture.order))[::-1])


def _ordered(picture: Pixels, name: str, channels: Any) -> Pixels:
    scale, shift = (np.broadcast_to(each, len(picture.order))[channels] for each in picture.affine.parts)
    order = tuple(picture.order[channel] for channel in channels)
    return picture.through(name, order=order, affine=Affine(scale, shift))
