"""The tradeoff table: Markdown for reading, CSV and JSON for machines.

Each takes one row or more, as `rows.join` makes them.
"""

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
# What a spreadsheet would calculate, also where it takes semicolons between columns.
_FORMULA: Final = re.compile(r"(^|;)( *)(?=[=+\-@])")
Rows = Sequence[Row]


def markdown(rows: Rows) -> str:
    """Lay out a table for each machine, large models first, with its conditions under it."""
    return "\n\n".join(_section(machine, group) for machine, group in by_machine(rows).items())


def csv(rows: Rows) -> str:
    """Write one line a row: plain values, units in the column names, empty where nothing is known.

    Text is one line of printable characters, with an apostrophe before what a spreadsheet would take for a formula.
    """
    text = io.StringIO()
    lines = [values(row) for row in rows]
    writer = DictWriter(text, fieldnames=list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _plain(value) for name, value in each.items()} for each in lines)
    return text.getvalue().rstrip("\n")


def json(rows: Rows) -> str:
    """Write the rows of each machine, with the columns of `csv`, beside its facts and the notes on its conditions."""
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
    """Return the facts that all rows of a machine share; what moves stays in the records."""
    host = next((row.profile.host for row in rows if row.profile), None)
    return host and {name: fact for name, fact in host.items() if name not in ("before", "after")}


def _section(machine: str, rows: Rows) -> str:
    numbers = {doubt: number for number, doubt in enumerate(doubts(rows), start=1)}
    marks = Field(Column("doubts"), lambda row: _marks(row, numbers), lambda _: bool(numbers))
    shown = [field for field in (*FIELDS, marks) if field.needed(rows)]
    cells = [[each.cell(row) for each in shown] for row in rows]
    table = grid([each.column for each in shown], cells)
    remarks = "\n".join(f"- {inline(note)}" for note in notes(rows))
    return f"### {inline(machine) or 'Not profiled'}\n\n{table}\n\n{remarks}"


def _marks(row: Row, numbers: Mapping[Hashable, int]) -> str:
    remarks = row.latency.doubts if row.latency else ()
    return ", ".join(str(number) for number in sorted({numbers[key(doubt)] for doubt in remarks}))
