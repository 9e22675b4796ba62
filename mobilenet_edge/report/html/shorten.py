"""Shorten names for labels."""

from __future__ import annotations

from typing import Final

from mobilenet_edge.text import printable

MAX_LENGTH: Final = 32


def shorten(name: str, length: int = MAX_LENGTH) -> str:
    """Shorten a name to `length` printable characters, the last of which is then an ellipsis."""
    text = printable(name)
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
