"""Format the tradeoff table as Markdown, CSV or JSON, from one or more rows of `rows.join`."""

from __future__ import annotations

import io
import re
from collections.abc import Hashable, Mapping, Sequence
from csv import DictWriter
from json import dumps
from typing import Any, Final

from mobilenet_edge.analysis.wording import key
from mobilenet_edge.report.cells import FIELDS, Field
from mobilenet_edge.report.columns import values
from mobilenet_edge.report.markdown_table import Column, grid, inline
from mobilenet_edge.report.notes import doubts, notes, runtimes
from mobilenet_edge.report.rows import Row, by_machine
from mobilenet_edge.text import printable_lines

SCHEMA_VERSION: Final = 2
# Start of a cell that a spreadsheet evaluates as a formula, also if semicolons separate its columns.
_FORMULA: Final = re.compile(r"(^|;)( *)(?=[=+\-@])")
Rows = Sequence[Row]


def markdown(rows: Rows) -> str:
    """Format one table per machine, with its conditions below."""
    return "\n\n".join(_section(machine, group) for machine, group in by_machine(rows).items())


def csv(rows: Rows) -> str:
    """Format one line per row, with units in the column names and empty cells for unknown values.

    An apostrophe precedes text that a spreadsheet would evaluate as a formula.
    """
    text = io.StringIO()
    lines = [values(row) for row in rows]
    writer = DictWriter(text, fieldnames=list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _plain(value) for name, value in line.items()} for line in lines)
    return text.getvalue().rstrip("\n")


def json(rows: Rows) -> str:
    """Format the rows of each machine with the columns of `csv`, the facts of the machine and the notes."""
    tables = [
        {
            "machine": machine or None,
            "host": _host(group),
            "runtimes": runtimes(row.latency for row in group if row.latency),
            "notes": notes(group),
            "rows": [{**values(row), "conditions": row.profile and row.profile.conditions} for row in group],
        }
        for machine, group in by_machine(rows).items()
    ]
    return dumps({"schema_version": SCHEMA_VERSION, "tables": tables}, indent=1)


def _plain(value: Any) -> Any:
    if isinstance(value, list | dict):
        remarks = value if isinstance(value, list) else [value]
        value = "; ".join(remark["code"] for remark in remarks)
    if isinstance(value, str):
        return _FORMULA.sub(r"\1'\2", printable_lines(value.replace("\n", " ")))
    return int(value) if isinstance(value, bool) else value


def _host(rows: Rows) -> dict[str, Any] | None:
    """Return the facts of a machine that do not change during a measurement."""
    host = next((row.profile.host for row in rows if row.profile), None)
    return host and {name: fact for name, fact in host.items() if name not in ("before", "after")}


def _section(machine: str, rows: Rows) -> str:
    numbers = {doubt: number for number, doubt in enumerate(doubts(rows), start=1)}
    marks = Field(Column("doubts"), lambda row: _marks(row, numbers), lambda _: bool(numbers))
    shown = [field for field in (*FIELDS, marks) if field.needed(rows)]
    cells = [[field.cell(row) for field in shown] for row in rows]
    table = grid([field.column for field in shown], cells)
    remarks = "\n".join(f"- {inline(note)}" for note in notes(rows))
    return f"### {inline(machine) or 'Not profiled'}\n\n{table}\n\n{remarks}"


def _marks(row: Row, numbers: Mapping[Hashable, int]) -> str:
    remarks = row.latency.doubts if row.latency else ()
    return ", ".join(str(number) for number in sorted({numbers[key(doubt)] for doubt in remarks}))
