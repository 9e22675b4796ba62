"""Make small JPEGs of pictures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from mobilenet_edge.data import images

_QUALITIES: Final = (80, 60, 40, 20)


def thumbnail(path: Path, side: int, max_bytes: int) -> bytes | None:
    """Return a picture as a JPEG of at most `side` pixels a side, or None if that takes more than `max_bytes`.

    Raises:
        InputError: The file is not an image.
        MissingExtraError: Pillow is not installed.
    """
    image = images.decode(path)
    image.thumbnail((side, side))
    for quality in _QUALITIES:
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality)
        if out.tell() <= max_bytes:
            return out.getvalue()
    return None
