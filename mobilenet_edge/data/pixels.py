"""The usual ways to scale pixels, their names, and `mean=…,std=…`."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mobilenet_edge.data.preprocess import Colour, Preprocess
from mobilenet_edge.errors import UsageError

BYTE: Final = 255.0


@dataclass(frozen=True)
class Pixels:
    """How a pixel p in 0..255 is scaled: p * scale + offset.

    Attributes:
        scale: One factor, or one each for red, green and blue.
        offset: Likewise.
        colour: The order of channels that comes with it, None for any.
    """

    scale: tuple[float, ...]
    offset: tuple[float, ...]
    colour: Colour | None = None

    def ordered(self, colour: Colour) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return scales and offsets, one for each channel in the order of `colour`.

        Raises:
            UsageError: There are three, and the model's input has one channel.
        """
        if len(self.scale) == 1:
            channels = 1 if colour == "grey" else 3
            return self.scale * channels, self.offset * channels
        if colour == "grey":
            raise UsageError("pixels are scaled by three colours, but the input is grey; give one mean and one std")
        return (self.scale[::-1], self.offset[::-1]) if colour == "bgr" else (self.scale, self.offset)


def normalised(mean: Sequence[float], std: Sequence[float], unit: float = BYTE) -> Pixels:
    """Make what (p / 255 * unit - mean) / std is."""
    return Pixels(
        tuple(unit / BYTE / each for each in std), tuple(-a / b for a, b in zip(mean, std, strict=True)), None
    )


_CAFFE: Final = normalised((123.68, 116.779, 103.939), (1.0, 1.0, 1.0))
NAMED: Final[Mapping[str, Pixels]] = {
    "-1..1": Pixels((1 / 127.5,), (-1.0,)),
    "0..1": Pixels((1 / 255,), (0.0,)),
    "0..255": Pixels((1.0,), (0.0,)),
    # Of torchvision and of `keras.applications.imagenet_utils`, modes "torch" and "caffe".
    "imagenet": normalised((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 1.0),
    "caffe": Pixels(_CAFFE.scale, _CAFFE.offset, "bgr"),
}
FORMS: Final = f"{', '.join(NAMED)}, or mean=…,std=…"


def parse(text: str) -> Pixels:
    """Read the value of `--pixels`.

    `mean=0.485,0.456,0.406,std=0.229,0.224,0.225`: one number, or red, green, blue, of pixels 0..1 where no number is
    above 1; `mean=127.5,std=127.5` of pixels 0..255 where every mean is 0 or above 1 and no deviation is below 1.

    Raises:
        UsageError: It is neither a name nor such numbers, or both units are possible, or none.
    """
    key = text.strip().lower()
    if key in NAMED:
        return NAMED[key]
    if not key.startswith(("mean=", "std=")):
        near = difflib.get_close_matches(key, NAMED, 1)
        hint = f"did you mean {near[0]}?" if near else f"it is {FORMS}"
        raise UsageError(f"--pixels {text} is not known; {hint}")
    mean, std = _numbers(text, key)
    of_one = all(each <= 1 for each in (*mean, *std))
    of_byte = all(each == 0 or each > 1 for each in mean) and all(each >= 1 for each in std)
    if of_one == of_byte:
        raise UsageError(
            f"--pixels {text} may be of pixels 0..1 or 0..255; give mean and std of one of them, or {', '.join(NAMED)}"
        )
    return normalised(mean, std, 1.0 if of_one else BYTE)


def _numbers(text: str, key: str) -> tuple[list[float], list[float]]:
    parts: dict[str, list[float]] = {}
    name = ""
    try:
        for word in key.split(","):
            if "=" in word:
                name, _, word = word.partition("=")
                parts[name] = []
            parts[name].append(float(word))
        mean, std = parts.pop("mean"), parts.pop("std")
    except (ValueError, KeyError) as error:
        raise UsageError(f"--pixels {text} is not mean=… and std=… with a number or three each") from error
    count = max(len(mean), len(std))
    mean, std = (each * count if len(each) == 1 else each for each in (mean, std))
    good = all(map(math.isfinite, (*mean, *std))) and min(std) > 0 and min(mean) >= 0
    if parts or not good or count not in (1, 3) or len(mean) != len(std):
        raise UsageError(f"--pixels {text}: give a mean of 0 or more and a std above 0, one number or three each")
    return mean, std


def name(rule: Preprocess) -> str:
    """Name the pixels of a rule as `--pixels` takes them, as far as they have a name."""
    for known, pixels in NAMED.items():
        if len(pixels.scale) > rule.channels:
            continue
        scale, offset = pixels.ordered(rule.colour)
        pairs = zip((*scale, *offset), (*rule.scale, *rule.offset), strict=True)
        if all(math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9) for a, b in pairs):
            return known
    return "pixel * {} + {}".format(*(_shown(each) for each in (rule.scale, rule.offset)))


def _shown(numbers: Sequence[float]) -> str:
    return ", ".join(f"{each:.6g}" for each in (numbers[:1] if len(set(numbers)) == 1 else numbers))
