"""Markdown tables that also read well where nothing renders them: aligned columns, numbers to the right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from mobilenet_edge.text import printable

# What begins a tag, makes a link of words or fetches a picture, and a backslash that would be an escape or undo one. No
# more than that: in a terminal the backslashes are seen.
_MARKUP: Final = re.compile(r"<|(?<=!)\[|(?<=\])\(|\\(?![\w\s])")


class Column(NamedTuple):
    """One column: its title, and whether its cells are words (left) or numbers (right)."""

    title: str
    words: bool = False


def grid(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table; `rows` hold one cell a column."""
    body = [[inline(cell).replace("|", "\\|") for cell in row] for row in rows]
    titles = [column.title for column in columns]
    widths = [max(len(cell) for cell in cells) for cells in zip(titles, *body, strict=True)]
    rule = ["-" * (width - 1) + ("-" if column.words else ":") for column, width in zip(columns, widths, strict=True)]
    return "\n".join(_line(columns, widths, line) for line in (titles, rule, *body))


def inline(text: str) -> str:
    """Write foreign text for Markdown: one line, in which no HTML, link or picture is left.

    Names of other people's files end up in tables, and tables in comments and job summaries.
    """
    return _MARKUP.sub(r"\\\g<0>", printable(text))


def _line(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[str]) -> str:
    padded = [
        cell.ljust(width) if column.words else cell.rjust(width)
        for column, width, cell in zip(columns, widths, cells, strict=True)
    ]
    return f"| {' | '.join(padded)} |"
