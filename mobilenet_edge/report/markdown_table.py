"""Format Markdown tables with aligned columns, so that they are readable as plain text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from mobilenet_edge.text import printable

# Characters that start a tag, link or image, and backslashes that escape. Other characters are not escaped, because the
# backslashes are visible in a terminal.
_MARKUP: Final = re.compile(r"<|(?<=!)\[|(?<=\])\(|\\(?![\w\s])")


class Column(NamedTuple):
    """Column with a title; its cells are words (aligned left) or numbers (aligned right)."""

    title: str
    words: bool = False


def grid(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """Format a table; each row has one cell per column."""
    body = [[inline(cell).replace("|", "\\|") for cell in row] for row in rows]
    titles = [column.title for column in columns]
    widths = [max(len(cell) for cell in cells) for cells in zip(titles, *body, strict=True)]
    rule = ["-" * (width - 1) + ("-" if column.words else ":") for column, width in zip(columns, widths, strict=True)]
    return "\n".join(_line(columns, widths, line) for line in (titles, rule, *body))


def inline(text: str) -> str:
    """Escape untrusted text for Markdown as one line without HTML, links and images.

    File names end up in tables, and tables in comments and job summaries.
    """
    return _MARKUP.sub(r"\\\g<0>", printable(text))


def _line(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[str]) -> str:
    padded = [
        cell.ljust(width) if column.words else cell.rjust(width)
        for column, width, cell in zip(columns, widths, cells, strict=True)
    ]
    return f"| {' | '.join(padded)} |"
