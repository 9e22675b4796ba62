"""What `mnet evaluate` found, for reading."""

from __future__ import annotations

from collections.abc import Sequence

from mobilenet_edge.records import Evaluation
from mobilenet_edge.report.markdown import Column, grid

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
    lines = [grid(_COLUMNS, [_row(each) for each in evaluations])]
    notes = [f"{each.artifact} lacks {what}" for each in evaluations for what in each.lacks]
    for names in dict.fromkeys(each.unreadable for each in evaluations if each.unreadable):
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        notes.append(f"{len(names)} images could not be read and are not counted: {shown}")
    return "\n".join([*lines, *(["", *(f"- {note}" for note in notes)] if notes else [])])


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
