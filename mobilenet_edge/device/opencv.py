"""Turn a picture into a model's input as programs with OpenCV do, which is not the picture that Pillow makes.

OpenCV's filters look at the nearest pixels only, however much a picture shrinks, so fine detail becomes noise; its crop
is of whole pixels. It also decodes JPEG otherwise where it brings another library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from mobilenet_edge.device.picture import centre, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mobilenet_edge.device.picture import Rule

# The interpolation of each of Pillow's filters, by name.
INTERPOLATIONS: Final = {
    "nearest": "INTER_NEAREST",
    "box": "INTER_AREA",
    "bilinear": "INTER_LINEAR",
    "hamming": "INTER_LINEAR",
    "bicubic": "INTER_CUBIC",
    "lanczos": "INTER_LANCZOS4",
}


def title(rule: Rule) -> dict[str, str]:
    """Return library, version and resize: what fits a picture, in words."""
    import cv2

    interpolation = INTERPOLATIONS[rule.filter]
    aliased = "" if interpolation == "INTER_AREA" else ", not antialiased"
    return {"library": "OpenCV", "version": cv2.__version__, "resize": f"{interpolation}{aliased}"}


def use_threads(threads: int) -> None:
    """Set the number of threads of OpenCV's functions, in this process."""
    import cv2

    cv2.setNumThreads(threads)


def decode(source: BinaryIO) -> NDArray[np.uint8]:
    """Read a picture as upright pixels, (height, width, 3): blue, green, red.

    Raises:
        ValueError: OpenCV cannot read it.
    """
    import cv2

    image = cv2.imdecode(np.frombuffer(source.read(), np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("OpenCV cannot read it")
    pixels: NDArray[np.uint8] = image
    return pixels


def fit(image: NDArray[np.uint8], rule: Rule) -> NDArray[np.uint8]:
    """Fit blue, green and red pixels to a size, in the rule's order of colours.

    Returns:
        (height, width, channels) uint8.
    """
    import cv2

    (height, width), (rows, columns) = rule.size, image.shape[:2]
    if rule.fit == "crop":
        left, top, right, bottom = (round(edge) for edge in centre((columns, rows), rule))
        image = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    if rule.fit == "pad":
        fitted = _pad(image, rule)
    else:
        fitted = cv2.resize(image, (width, height), interpolation=_interpolation(rule))
    if rule.colour == "grey":
        grey: NDArray[np.uint8] = cv2.cvtColor(fitted, cv2.COLOR_BGR2GRAY)[..., np.newaxis]
        return grey
    return fitted if rule.colour == "bgr" else cv2.cvtColor(fitted, cv2.COLOR_BGR2RGB)


def _pad(image: NDArray[np.uint8], rule: Rule) -> NDArray[np.uint8]:
    import cv2

    rows, columns = image.shape[:2]
    (height, width), (down, across) = rule.size, within((columns, rows), rule)
    whole = np.empty((height, width, 3), np.uint8)
    whole[:] = tuple(rule.pad)[::-1]
    top, left = (height - down) // 2, (width - across) // 2
    whole[top : top + down, left : left + across] = cv2.resize(
        image, (across, down), interpolation=_interpolation(rule)
    )
    return whole


def _interpolation(rule: Rule) -> Any:
    import cv2

    return getattr(cv2, INTERPOLATIONS[rule.filter])
