"""What a user states of a model's pixels: one set of options for every verb and for a sweep's file."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from mobilenet_edge.data import pixels as named
from mobilenet_edge.data.preprocess import COLOURS, FILTERS, FITS, PARTS, Colour, Fit, Preprocess
from mobilenet_edge.errors import UsageError


@dataclass(frozen=True)
class PixelOptions:
    """The options `--pixels`, `--colour`, `--fit`, `--crop` and `--filter`; None leaves a part to be found out.

    Raises:
        UsageError: A value is not known, or does not go with another.
    """

    pixels: str | None = None
    colour: str | None = None
    fit: str | None = None
    crop: float | None = None
    filter: str | None = None

    def __post_init__(self) -> None:
        _check("--colour", self.colour, COLOURS)
        _check("--fit", self.fit, FITS)
        _check("--filter", self.filter, FILTERS)
        if self.pixels is not None:
            named.parse(self.pixels)
        if self.crop is not None and not 0 < self.crop <= 1:
            raise UsageError(f"--crop {self.crop:g} is not a share of a side; it lies above 0 and at most at 1")
        if self.crop is not None and self.fit not in (None, "crop"):
            raise UsageError(f"--crop is for --fit crop, not for --fit {self.fit}; leave one out")

    def apply(self, rule: Preprocess) -> Preprocess:
        """Return a rule with what is stated put in.

        Raises:
            UsageError: It does not go with the number of channels of the rule.
        """
        stated = {name: value for name, value in asdict(self).items() if value is not None}
        pixels = None if self.pixels is None else named.parse(self.pixels)
        colour = cast("Colour", self.colour or (pixels.colour if pixels else None) or rule.colour)
        if (colour == "grey") != (rule.colour == "grey"):
            raise UsageError(f"the input has {rule.channels} channels, which cannot be {colour}; leave out --colour")
        if colour != rule.colour:
            # What is scaled colour by colour stays with its colour.
            rule = replace(rule, colour=colour, scale=rule.scale[::-1], offset=rule.offset[::-1])
        if pixels is not None:
            rule = rule.with_pixels(*pixels.ordered(colour), "stated")
            stated["colour"] = colour if self.colour or pixels.colour else None
        if self.crop is not None:
            stated["fit"] = "crop"
        rule = replace(
            rule,
            fit=cast("Fit", stated.get("fit", rule.fit)),
            crop=self.crop or rule.crop,
            filter=self.filter or rule.filter,
        )
        parts = [name for name in PARTS if stated.get(name) is not None]
        return rule.known("stated", *parts) if parts else rule

    def to_dict(self) -> dict[str, Any]:
        """Return what is stated, as plain values."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def _check(option: str, value: str | None, known: Sequence[str]) -> None:
    if value is None or value in known:
        return
    near = difflib.get_close_matches(value, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"it is one of {', '.join(known)}"
    raise UsageError(f"{option} {value} is not known; {hint}")


NOTHING = PixelOptions()
