"""Names cut to what a label has room for."""

from __future__ import annotations

from typing import Final

from mobilenet_edge.text import printable

MOST: Final = 32


def shorten(name: str, most: int = MOST) -> str:
    """Keep a name's printable characters, so many of them, with an ellipsis where there were more."""
    whole = printable(name)
    return whole if len(whole) <= most else f"{whole[: most - 1].rstrip()}…"
