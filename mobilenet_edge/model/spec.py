"""Which MobileNet is meant, and what it is called."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, assert_never, get_args

from mobilenet_edge.errors import UsageError

Family = Literal["mobilenet_v1", "mobilenet_v2"]
FAMILIES: Final[tuple[Family, ...]] = get_args(Family)

STEM: Final = 32
BODY: Final = (  # (stride, filters at alpha 1): Table 1 of arXiv:1704.04861
    (1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512),
    (1, 512), (1, 512), (1, 512), (1, 512), (1, 512), (2, 1024), (1, 1024),
)  # fmt: skip
V2_BODY: Final = (  # (expansion, filters at alpha 1, repeats, stride of the first): Table 2 of arXiv:1801.04381
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip
V2_HEAD: Final = 1280
# Channels of MobileNetV2 are multiples of it.
_DIVISOR: Final = 8
FULL_RESOLUTION: Final = 224
IMAGENET_CLASSES: Final = 1000
PUBLISHED_ALPHAS: Final = (0.25, 0.5, 0.75, 1.0)
PUBLISHED_RESOLUTIONS: Final = (128, 160, 192, 224)

# Alphas and resolutions of the models whose ImageNet weights were published.
PUBLISHED: Final[Mapping[Family, frozenset[tuple[float, int]]]] = {
    "mobilenet_v1": frozenset((alpha, side) for alpha in PUBLISHED_ALPHAS for side in PUBLISHED_RESOLUTIONS),
    "mobilenet_v2": frozenset((alpha, side) for alpha in (0.35, 0.5, 0.75, 1.0) for side in (96, 128, 160, 192, 224))
    | {(1.3, 224), (1.4, 224)},
}

_NAME: Final = re.compile(
    r"(?P<family>mobilenet_v[12])-a(?P<alpha>\d+\.\d+)-r(?P<resolution>\d+)"
    r"(?:-c(?P<classes>\d+))?(?:-(?P<channels>\d+)ch)?"
)


@dataclass(frozen=True, order=True)
class ModelSpec:
    """One MobileNet.

    Attributes:
        alpha: Width multiplier, in (0, 2] (section 3.3 of arXiv:1704.04861).
        resolution: Side of the square input image in pixels, a multiple of 32 from 32 to 1024.
        classes: Number of outputs.
        family: "mobilenet_v1" or "mobilenet_v2".
        channels: Of the input image.

    Raises:
        UsageError: A value is out of range; the message names the nearest allowed ones.
    """

    alpha: float = 1.0
    resolution: int = FULL_RESOLUTION
    classes: int = IMAGENET_CLASSES
    family: Family = "mobilenet_v1"
    channels: int = 3

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise UsageError(f"family is {self.family!r}; known: {', '.join(FAMILIES)}")
        if not (math.isfinite(self.alpha) and 0 < self.alpha <= 2):
            raise UsageError(
                f"alpha must be above 0 and at most 2, got {self.alpha:g}; published: {_listed(self.family)}"
            )
        if self.width(STEM) < 1:
            raise UsageError(f"alpha {self.alpha:g} leaves the first layer no filter; the smallest is {1 / STEM:g}")
        if self.resolution % 32 or not 32 <= self.resolution <= 1024:
            raise UsageError(
                f"rho must be a multiple of 32 from 32 to 1024, got {self.resolution}: the image is halved five times, "
                f"and an odd side would shift the published weights by a pixel; nearest: {_nearest(self.resolution)}"
            )
        if self.classes < 1:
            raise UsageError(f"classes must be at least 1, got {self.classes}")
        if self.channels < 1:
            raise UsageError(f"channels must be at least 1, got {self.channels}")

    @property
    def rho(self) -> float:
        """The resolution multiplier of the paper (section 3.4): input side over 224."""
        return self.resolution / FULL_RESOLUTION

    @property
    def name(self) -> str:
        """The variant's name; artifacts are named `{name}.{precision}.{format}`."""
        alpha = f"{self.alpha:.2f}"
        if float(alpha) != self.alpha:
            alpha = repr(self.alpha)
        classes = "" if self.classes == IMAGENET_CLASSES else f"-c{self.classes}"
        channels = "" if self.channels == 3 else f"-{self.channels}ch"
        return f"{self.family}-a{alpha}-r{self.resolution}{classes}{channels}"

    @property
    def published(self) -> bool:
        """Whether ImageNet weights and figures were published for this variant."""
        known = (self.alpha, self.resolution) in PUBLISHED[self.family]
        return known and self.classes == IMAGENET_CLASSES and self.channels == 3

    def width(self, filters: int) -> int:
        """Scale a channel count by alpha, rounding as Keras does: v1 towards zero, v2 to multiples of 8."""
        match self.family:
            case "mobilenet_v1":
                return int(filters * self.alpha)
            case "mobilenet_v2":
                return divisible(int(filters * self.alpha))
            case _:
                assert_never(self.family)

    @classmethod
    def from_name(cls, name: str) -> ModelSpec | None:
        """Read a variant's name back; None where it is not one."""
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        family: Family = "mobilenet_v2" if match["family"] == "mobilenet_v2" else "mobilenet_v1"
        classes, channels = int(match["classes"] or IMAGENET_CLASSES), int(match["channels"] or 3)
        return cls(float(match["alpha"]), int(match["resolution"]), classes, family, channels)


def divisible(filters: float) -> int:
    """Round to the nearest multiple of 8, but down by no more than a tenth (`_make_divisible` in Keras)."""
    rounded = max(_DIVISOR, int(filters + _DIVISOR / 2) // _DIVISOR * _DIVISOR)
    return rounded + _DIVISOR if rounded < 0.9 * filters else rounded


def _listed(family: Family) -> str:
    return ", ".join(map(str, sorted({alpha for alpha, _ in PUBLISHED[family]})))


def _nearest(resolution: int) -> str:
    below = min(max(resolution // 32 * 32, 32), 1024)
    above = min(max(-(-resolution // 32) * 32, 32), 1024)
    return " and ".join(str(side) for side in sorted({below, above}))
