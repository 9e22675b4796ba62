"""What `mnet evaluate` found, for reading."""

from __future__ import annotations

from collections.abc import Sequence

from mobilenet_edge.records import Evaluation
from mobilenet_edge.report.markdown_table import Column, grid, inline

_NAMED = 5
_COLUMNS = (
    Column("artifact", True),
    Column("top-1"),
    Column("95 % interval"),
    Column("top-5"),
    Column("n"),
    Column("agreement"),
    Column("runtime", True),
)


def table(evaluations: Sequence[Evaluation]) -> str:
    """Lay out evaluations; what could not be read, and what a file lacks, stands below."""
    notes = [f"{each.artifact} lacks {what}" for each in evaluations for what in each.lacks]
    notes += map(_unreadable, dict.fromkeys(each.unreadable for each in evaluations if each.unreadable))
    remarks = "\n".join(f"- {inline(note)}" for note in notes)
    return "\n\n".join(filter(None, [grid(_COLUMNS, [_row(each) for each in evaluations]), remarks]))


def _unreadable(names: Sequence[str]) -> str:
    what = "image file could not be read and is" if len(names) == 1 else "image files could not be read and are"
    shown = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    return f"{len(names)} {what} not counted: {shown}"


def _row(found: Evaluation) -> list[str]:
    low, high = found.interval
    return [
        found.artifact,
        f"{found.top1:.1%}",
        f"{low:.1%} to {high:.1%}",
        f"{found.top5:.1%}",
        str(found.n),
        "" if found.agreement is None else f"{found.agreement:.1%}",
        f"{found.runtime} {found.runtime_version}",
    ]
