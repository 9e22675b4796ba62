"""Which MobileNet is meant, and what it is called."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from mobilenet_edge.errors import UsageError

STEM: Final = 32
BODY: Final = (  # (stride, filters at alpha 1): Table 1 of arXiv:1704.04861
    (1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512),
    (1, 512), (1, 512), (1, 512), (1, 512), (1, 512), (2, 1024), (1, 1024),
)  # fmt: skip
FULL_RESOLUTION: Final = 224
IMAGENET_CLASSES: Final = 1000
PUBLISHED_ALPHAS: Final = (0.25, 0.5, 0.75, 1.0)
PUBLISHED_RESOLUTIONS: Final = (128, 160, 192, 224)

_NAME: Final = re.compile(r"mobilenet_v1-a(?P<alpha>\d+\.\d+)-r(?P<resolution>\d+)(?:-c(?P<classes>\d+))?")


@dataclass(frozen=True, order=True)
class ModelSpec:
    """One MobileNet v1.

    Attributes:
        alpha: Width multiplier, in (0, 2] (section 3.3 of arXiv:1704.04861).
        resolution: Side of the square input image in pixels, a multiple of 32 from 32 to 1024.
        classes: Number of outputs.

    Raises:
        UsageError: A value is out of range; the message names the nearest allowed ones.
    """

    alpha: float = 1.0
    resolution: int = FULL_RESOLUTION
    classes: int = IMAGENET_CLASSES

    def __post_init__(self) -> None:
        if not (math.isfinite(self.alpha) and 0 < self.alpha <= 2):
            raise UsageError(
                f"alpha must be above 0 and at most 2, got {self.alpha:g}; published: 0.25, 0.5, 0.75, 1.0"
            )
        if int(STEM * self.alpha) < 1:
            raise UsageError(f"alpha {self.alpha:g} leaves the first layer no filter; the smallest is {1 / STEM:g}")
        if self.resolution % 32 or not 32 <= self.resolution <= 1024:
            raise UsageError(
                f"rho must be a multiple of 32 from 32 to 1024, got {self.resolution}: the image is halved five times, "
                f"and an odd side would shift the published weights by a pixel; nearest: {_nearest(self.resolution)}"
            )
        if self.classes < 1:
            raise UsageError(f"classes must be at least 1, got {self.classes}")

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
        return f"mobilenet_v1-a{alpha}-r{self.resolution}{classes}"

    @property
    def published(self) -> bool:
        """Whether ImageNet weights and figures were published for this variant."""
        return (
            self.alpha in PUBLISHED_ALPHAS
            and self.resolution in PUBLISHED_RESOLUTIONS
            and self.classes == IMAGENET_CLASSES
        )

    def width(self, filters: int) -> int:
        """Scale a channel count by alpha, rounding as Keras does (towards zero)."""
        return int(filters * self.alpha)

    @classmethod
    def from_name(cls, name: str) -> ModelSpec | None:
        """Read a variant's name back; None where it is not one."""
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        return cls(float(match["alpha"]), int(match["resolution"]), int(match["classes"] or IMAGENET_CLASSES))


def _nearest(resolution: int) -> str:
    below = min(max(resolution // 32 * 32, 32), 1024)
    above = min(max(-(-resolution // 32) * 32, 32), 1024)
    return " and ".join(str(side) for side in sorted({below, above}))
