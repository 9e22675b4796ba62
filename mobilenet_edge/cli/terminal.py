"""Fit a report to a terminal: tables in its width, words unbroken, few notes.

Reports are Markdown, and a pipe gets them unchanged. This module lays their tables out again for the terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from mobilenet_edge.errors import UsageError
from mobilenet_edge.report.markdown_table import Column, grid

if TYPE_CHECKING:
    from rich.console import RenderableType

MAX_NOTES: Final = 5
# Columns to leave out of a table that is too wide, in this order; rows of the Pareto front are also bold.
DROP_ORDER: Final = (
    "Pareto", "params", "MACs", "p90 ms", "runtime", "published", "target", "delegate", "agreement", "size", "doubts",
)  # fmt: skip
STYLES: Final = {
    "faster": "green", "slower": "red", "failed": "red", "invalid": "red", "pass": "green", "FAIL": "red",
}  # fmt: skip
_GAP: Final = 2
_BAR: Final = re.compile(r"(?<!\\)\|")
_ESCAPED: Final = re.compile(r"\\(?=[<\[(|\\])")
_WRAPPED: Final = re.compile(r"(?<=[^\n]{90})([^.:;\n])\n(?=[^\n-])")
# Largest share of the width that the names in the first column take before other columns are folded.
_NAMES_SHARE: Final = 0.45
_INTEGER_PART: Final = re.compile(r"[^0-9]*[0-9]+")


@dataclass(frozen=True)
class View:
    """The part of a report to show.

    Attributes:
        wide: Whether to show all columns, even if the table is wider than the terminal.
        columns: Titles of the columns to show, in this order; empty for those that fit.
        notes: Whether to show all notes under a table instead of the last few.
        drop: Whether to leave columns out of a table that is too wide; otherwise its cells are folded.
    """

    wide: bool = False
    columns: tuple[str, ...] = ()
    notes: bool = False
    drop: bool = True

    @classmethod
    def of(cls, wide: bool, columns: str | None, notes: bool) -> View:
        """Create a view from the values of options; `columns` is separated by commas."""
        return cls(wide, tuple(title.strip() for title in (columns or "").split(",") if title.strip()), notes)


@dataclass(frozen=True)
class Table:
    """A Markdown table.

    Attributes:
        titles: Titles of the columns.
        right: Whether each column is aligned to the right.
        rows: Cells of each row, without escapes.
    """

    titles: tuple[str, ...]
    right: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def width(self) -> int:
        """Width of the table in characters."""
        columns = zip(self.titles, *self.rows, strict=True)
        return sum(max(map(len, column)) + _GAP for column in columns) - _GAP

    def select(self, titles: Sequence[str]) -> Table:
        """Return the table with only these columns, in this order; unchanged if it has none of them."""
        indexes = {title.lower(): index for index, title in enumerate(self.titles)}
        chosen = [indexes[title.lower()] for title in titles if title.lower() in indexes] or list(indexes.values())

        def pick(cells: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(cells[index] for index in chosen)

        return Table(pick(self.titles), tuple(self.right[index] for index in chosen), tuple(map(pick, self.rows)))

    def markdown(self) -> str:
        """Format the table as Markdown."""
        columns = [Column(title, not right) for title, right in zip(self.titles, self.right, strict=True)]
        return grid(columns, self.rows)

    def shorten(self) -> tuple[Table, str]:
        """Return the table without the common prefix of the names in its first column, and that prefix."""
        names = [row[0] for row in self.rows]
        # The common prefix of the first and the last name in order is common to all.
        pairs = zip(min(names, default=""), max(names, default=""), strict=False)
        common = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        prefix = common[: max(common.rfind(mark) for mark in "-/") + 1] if len(set(names)) > 1 else ""
        return replace(self, rows=tuple((row[0].removeprefix(prefix), *row[1:]) for row in self.rows)), prefix

    def constants(self) -> dict[str, str]:
        """Return the text columns with the same value in all rows: a remark with that value, by title."""
        columns = zip(self.titles, self.right, zip(*self.rows, strict=True), strict=True) if len(self.rows) > 1 else ()
        return {title: f"{title} ({cells[0]})" for title, right, cells in columns if not right and len(set(cells)) == 1}

    def fit(self, width: int, drop: bool = True) -> tuple[Table, list[str]]:
        """Shorten the table to a width in characters, as far as possible.

        Returns:
            The table, and remarks on the parts that were left out.
        """
        table, remarks = self, []
        if table.width > width:
            table, prefix = table.shorten()
            remarks += [f"{table.titles[0]} without {prefix}"] if prefix else []
        for title, remark in [*table.constants().items(), *zip(DROP_ORDER, DROP_ORDER, strict=True)]:
            if drop and table.width > width and title in table.titles:
                table = table.select([other for other in table.titles if other != title])
                remarks.append(remark)
        return table, remarks


def parse(block: str) -> Table | None:
    """Parse a block of Markdown as a table; None if it is not one."""
    lines = block.split("\n")
    if len(lines) < 2 or not all(line.startswith("| ") and line.endswith(" |") for line in lines):
        return None
    titles, rule, *rows = ([cell.strip() for cell in _BAR.split(line)[1:-1]] for line in lines)
    cells = (tuple(_ESCAPED.sub("", cell) for cell in row) for row in rows)
    return Table(tuple(titles), tuple(cell.endswith(":") for cell in rule), tuple(cells))


def align(cells: Sequence[str]) -> list[str]:
    """Pad numbers so that their decimal points are aligned; other cells are unchanged."""
    splits = [_INTEGER_PART.match(cell) for cell in cells]
    left = max((match.end() for match in splits if match), default=0)
    right = max((len(cell) - match.end() for cell, match in zip(cells, splits, strict=True) if match), default=0)
    return [
        cell[: match.end()].rjust(left) + cell[match.end() :].ljust(right) if match else cell
        for cell, match in zip(cells, splits, strict=True)
    ]


def choose(text: str, columns: Sequence[str]) -> str:
    """Keep only these columns of the tables of a report.

    Raises:
        UsageError: No table has one of the columns.
    """
    if not columns:
        return text
    blocks = [(block, parse(block)) for block in text.split("\n\n")]
    titles = list(dict.fromkeys(title for _, table in blocks if table for title in table.titles))
    missing = [name for name in columns if name.lower() not in (title.lower() for title in titles)]
    if missing:
        raise UsageError(f"no column is called {missing[0]!r}; give --columns any of {', '.join(titles)}")
    return "\n\n".join(block if table is None else table.select(columns).markdown() for block, table in blocks)


def lay_out(text: str, view: View, width: int) -> Iterator[RenderableType]:
    """Lay out a report for a terminal, and yield its blocks.

    Args:
        text: The report in Markdown.
        view: The part of the report to show.
        width: Width of the terminal in characters.

    Raises:
        UsageError: No table has a column of the view.
    """
    from rich.text import Text

    for number, block in enumerate(choose(text, view.columns).split("\n\n")):
        if number:
            yield Text()
        table = parse(block)
        if table is not None:
            yield from _table(table, view, width)
        elif block.startswith("### "):
            yield Text(block.removeprefix("### "), style="bold")
        else:
            yield from map(Text, _trim_notes(_unwrap(block), view))


def _unwrap(block: str) -> str:
    """Join the lines of a paragraph that was wrapped for a wider page: a full line that ends within a sentence."""
    return _WRAPPED.sub(r"\1 ", block)


def _trim_notes(block: str, view: View) -> list[str]:
    """Keep the last notes of a list, which are on the rows; the first ones explain the columns."""
    notes = block.split("\n")
    if not all(note.startswith("- ") for note in notes):
        return [block]
    hidden = 0 if view.notes else max(len(notes) - MAX_NOTES, 0)
    return [*notes[hidden:], *([f"{hidden} more: --notes"] if hidden else [])]


def _table(table: Table, view: View, width: int) -> Iterator[RenderableType]:
    from rich.table import Table as RichTable
    from rich.text import Text

    front = table.titles.index("Pareto") if "Pareto" in table.titles else None
    bold = [front is not None and row[front] == "*" for row in table.rows]
    table, remarks = (table, []) if view.wide else table.fit(width, view.drop and not view.columns)
    table = replace(table, rows=_align_rows(table))
    rich_table = RichTable(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for column, (title, right) in enumerate(zip(table.titles, table.right, strict=True)):
        names = max((len(row[0]) for row in table.rows), default=0) if column == 0 else 0
        least = names if names <= _NAMES_SHARE * width else None
        rich_table.add_column(title, justify="right" if right else "left", header_style="dim", min_width=least)
    for cells, is_best in zip(table.rows, bold, strict=True):
        styled = (Text(cell, style=STYLES.get(cell.strip(), "")) for cell in cells)
        rich_table.add_row(*styled, style="bold" if is_best else "")
    yield rich_table
    if remarks:
        advice = " See all with --wide, or choose with --columns." if view.drop else ""
        yield Text(f"Left out: {', '.join(remarks)}.{advice}", style="dim")


def _align_rows(table: Table) -> tuple[tuple[str, ...], ...]:
    columns = list(zip(*table.rows, strict=True))
    padded = [align(cells) if right else cells for cells, right in zip(columns, table.right, strict=True)]
    return tuple(zip(*padded, strict=True))
