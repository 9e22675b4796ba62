"""The int8 grid of a model's input, which follows from how pixels are scaled."""

from __future__ import annotations

from typing import Final

import numpy as np

from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import BuildError
from mobilenet_edge.graph import Array
from mobilenet_edge.quantise import HIGH, LOW, QuantParams

# Of a step: how far from a whole number a zero point may be that counts as one.
_WHOLE: Final = 1e-3
# Share of input values that may lie outside the grid by more than a step; pictures made by the rule have none.
_OUTSIDE: Final = 1e-3


def grid(rule: Preprocess) -> QuantParams:
    """Return the smallest int8 grid that holds what pixels become by a rule.

    Where all channels are scaled alike and zero is the value of a pixel, its integers are the pixels themselves, less
    128: raw bytes go into a uint8 input unchanged. Where zero lies between two pixels, steps are 1/256 smaller, so that
    no two pixels share one but the last. Where channels differ, steps are as wide as the range of all asks for.
    """
    low, high = rule.range
    scale, alike = rule.scale[0], len(set(rule.scale)) == len(set(rule.offset)) == 1
    if not alike or scale < 0 or not low <= 0 <= high:
        return QuantParams.from_range(low, high)
    zero = -rule.offset[0] / scale
    if abs(zero - round(zero)) < _WHOLE:
        return QuantParams(float(np.float32(scale)), round(zero) + LOW)
    step = scale * 255 / 256
    return QuantParams(float(np.float32(step)), min(max(round(LOW - low / step), LOW), HIGH))


def require_within(images: Array, entry: QuantParams) -> None:
    """Check that images lie on the grid of the input, by one value in four.

    Raises:
        BuildError: More than a thousandth of the values do not.
    """
    images = images.ravel()[::4]
    low, high = ((end - entry.zero_point) * entry.scale for end in (LOW - 1, HIGH + 1))
    tolerance = 1e-3 * entry.scale
    outside = 1 - float(np.mean((images >= low - tolerance) & (images <= high + tolerance)))  # NaN is outside
    if outside > _OUTSIDE:
        raise BuildError(
            f"{outside:.1%} of the input lies outside {low + entry.scale:.4g} to {high:.4g}, which pixels become; "
            "state how they are scaled with --pixels"
        )
