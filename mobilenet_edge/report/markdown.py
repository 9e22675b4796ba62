"""Markdown tables that also read well where nothing renders them: aligned columns, numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Column(NamedTuple):
    """One column: its title, and whether its cells are words (left) or numbers (right)."""

    title: str
    words: bool = False


def grid(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table; `rows` hold one cell a column."""
    body = [[printable(cell).replace("|", "\\|") for cell in row] for row in rows]
    titles = [column.title for column in columns]
    widths = [max(len(cell) for cell in cells) for cells in zip(titles, *body, strict=True)]
    rule = ["-" * (width - 1) + ("-" if column.words else ":") for column, width in zip(columns, widths, strict=True)]
    return "\n".join(_line(columns, widths, line) for line in (titles, rule, *body))


def printable(text: str) -> str:
    """Keep to one line of printable characters.

    File names of other people's models end up in tables; an escape sequence in one must not reach the terminal.
    """
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _line(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[str]) -> str:
    padded = [
        cell.ljust(width) if column.words else cell.rjust(width)
        for column, width, cell in zip(columns, widths, cells, strict=True)
    ]
    return f"| {' | '.join(padded)} |"
