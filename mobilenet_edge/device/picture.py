"""Turn a picture into a model's input with Pillow: the same functions here and on a device.

Pillow does the scaling, since other libraries' filters differ by tenths of a point of accuracy. docs/evaluation.md says
what is done to a pixel. The caller makes sure that Pillow is installed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import Image

# Pillow reads forty more, which nobody's photographs are, and hands PostScript to Ghostscript.
FORMATS: Final = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")


class Rule(Protocol):
    """The part of `data.preprocess.Preprocess` that is needed here; that class describes it."""

    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def colour(self) -> str: ...
    @property
    def fit(self) -> str: ...
    @property
    def crop(self) -> float: ...
    @property
    def filter(self) -> str: ...
    @property
    def scale(self) -> Sequence[float]: ...
    @property
    def offset(self) -> Sequence[float]: ...
    @property
    def pad(self) -> Sequence[int]: ...


class Layout(Protocol):
    """How an image lies in the input of a model: order of axes, element type, and grid of an integer input."""

    @property
    def channels_first(self) -> bool: ...
    @property
    def dtype(self) -> str: ...
    @property
    def scale(self) -> float | None: ...
    @property
    def zero_point(self) -> float | None: ...


def title(rule: Rule) -> dict[str, str]:
    """Return library, version and resize: what fits a picture, in words."""
    import PIL
    import PIL.Image  # as part of the library's import, not of the first picture

    antialiased = "" if rule.filter == "nearest" else ", antialiased"
    return {"library": "Pillow", "version": PIL.__version__, "resize": f"{rule.filter}{antialiased}"}


def use_threads(threads: int) -> None:
    """Do nothing: Pillow has one thread."""


def decode(source: Any) -> Image.Image:
    """Read a picture as upright RGB, 8 bits a channel.

    Args:
        source: A path or a binary file.

    Raises:
        ValueError: As `upright_rgb` says; Pillow raises many others.
    """
    from PIL import Image

    with Image.open(source, formats=FORMATS) as image:
        image.load()
        return upright_rgb(image)


def upright_rgb(image: Image.Image) -> Image.Image:
    """Turn an image as its EXIF orientation says and convert it to RGB.

    16-bit greys are scaled to 8 bits, not clipped; transparent pixels are laid over black.

    Raises:
        ValueError: The pixels have no defined range (32-bit floats, integers beyond 16 bits).
    """
    from PIL import ExifTags, Image, ImageOps

    # Both copy an image that they leave as it is.
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        image = ImageOps.exif_transpose(image)
    if image.mode == "F":
        raise ValueError("floating-point pixels have no defined range")
    if image.mode.startswith("I"):
        return _sixteen_bit(image).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def fit(image: Image.Image, rule: Rule) -> NDArray[np.uint8]:
    """Fit an image to a size, in the rule's order of colours, and leave its pixels as they are.

    Crop and scaling are one antialiased step: the whole image is scaled until its centre `crop` has the size asked for,
    and that is cut out, without rounding in between.

    Returns:
        (height, width, channels) uint8.

    Raises:
        ValueError: As `upright_rgb` says.
    """
    image = upright_rgb(image)
    if rule.fit == "crop":
        fitted = _resize(image, rule, rule.size, centre(image.size, rule))
    elif rule.fit == "stretch":
        fitted = _resize(image, rule, rule.size)
    else:
        fitted = _pad(image, rule)
    pixels = np.asarray(fitted.convert("L"))[..., np.newaxis] if rule.colour == "grey" else np.asarray(fitted)
    return pixels[..., ::-1] if rule.colour == "bgr" else pixels


def scale(pixels: NDArray[np.uint8 | np.float32], rule: Rule) -> NDArray[np.float32]:
    """Scale pixels (..., channels), in the rule's order of colours, channel by channel."""
    scaled: NDArray[np.float32] = np.array(pixels, np.float32, order="C")
    # Row by row: numpy takes ten times as long where it goes over three channels at a time.
    width = math.prod(pixels.shape[-2:-1])
    rows = scaled.reshape(-1, width * pixels.shape[-1])
    rows *= np.tile(np.array(rule.scale, np.float32), width)
    rows += np.tile(np.array(rule.offset, np.float32), width)
    return scaled


def fill(image: NDArray[np.float32], layout: Layout) -> NDArray[Any]:
    """Make the tensor of one scaled image, (height, width, channels), with a batch of one.

    Returns:
        The tensor, contiguous; integers rounded to the nearest and cut to the type's range.
    """
    laid_out = image.transpose(2, 0, 1) if layout.channels_first else image
    if layout.scale:
        limits = np.iinfo(layout.dtype)
        steps = np.rint(laid_out / layout.scale + (layout.zero_point or 0))
        laid_out = np.clip(steps, limits.min, limits.max)
    return np.ascontiguousarray(laid_out[np.newaxis], layout.dtype)


def centre(size: tuple[int, int], rule: Rule) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of the centre `crop` of the largest rectangle of the input's shape.

    Args:
        size: Width and height of the picture.
        rule: Its `size` and `crop` are used.
    """
    (height, width), (columns, rows) = rule.size, size
    if columns * height <= rows * width:
        across = columns * rule.crop
        down = across * (height / width)
    else:
        down = rows * rule.crop
        across = down * (width / height)
    left, top = (columns - across) / 2, (rows - down) / 2
    return left, top, left + across, top + down


def within(size: tuple[int, int], rule: Rule) -> tuple[int, int]:
    """Return height and width of a picture, of a width and height, scaled to lie within the input."""
    (height, width), (columns, rows) = rule.size, size
    factor = min(width / columns, height / rows)
    return max(1, round(rows * factor)), max(1, round(columns * factor))


def _pad(image: Image.Image, rule: Rule) -> Image.Image:
    from PIL import Image

    (height, width), (down, across) = rule.size, within(image.size, rule)
    red, green, blue = rule.pad
    whole = Image.new("RGB", (width, height), (red, green, blue))
    whole.paste(_resize(image, rule, (down, across)), ((width - across) // 2, (height - down) // 2))
    return whole


def _resize(
    image: Image.Image, rule: Rule, size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> Image.Image:
    from PIL import Image

    height, width = size
    return image.resize((width, height), Image.Resampling[rule.filter.upper()], box=box)


def _sixteen_bit(image: Image.Image) -> Image.Image:
    from PIL import Image

    values = np.asarray(image)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise ValueError("integer pixels beyond 16 bits have no defined range")
    # 65535 / 255 = 257, and to the nearest: an odd divisor makes no ties. Not as floats, which are four times as large.
    return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
