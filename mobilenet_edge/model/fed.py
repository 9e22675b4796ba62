"""Judge by a model's own first layers what pixels it is fed."""

from __future__ import annotations

from typing import Final

from mobilenet_edge.data import pixels
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.model.read.input_rule import Rule

# In the order in which they are tried.
_RAW: Final = ("0..255", "0..1", "-1..1")
# What the layers make of pixels is about as large as this, whatever it is.
_RANGE: Final = 4.0
_LEAST: Final = 0.5


def fed(rule: Rule, shape: tuple[int, int, int]) -> Preprocess:
    """Return the rule for a model's input in front of its own layers.

    Layers that scale show what they were made for: pixels 0..255, unless only 0..1 or -1..1 comes to a usual range.

    Args:
        rule: What the layers do.
        shape: Height, width and channels.
    """
    assumed = Preprocess.for_input(*shape)
    if not rule.scales:
        return assumed
    usual = [assumed.with_pixels(*pixels.NAMED[name].ordered(assumed.colour), "layer") for name in _RAW]
    return next((each for each in usual if _is_usual(rule.onto(each))), usual[0])


def _is_usual(rule: Preprocess) -> bool:
    low, high = rule.range
    return pixels.name(rule) in pixels.NAMED or (low >= -_RANGE and high <= _RANGE and high - low >= _LEAST)
