"""What `mnet evaluate` found, for reading."""

from __future__ import annotations

from collections.abc import Sequence

from mobilenet_edge.records import Evaluation
from mobilenet_edge.report.markdown_table import Column, grid, inline

_NAMED = 5
_FURTHER = "several labels, features"
_COLUMNS = (
    Column("artifact", True),
    Column("top-1"),
    Column("95 % interval"),
    Column("top-5"),
    Column("n"),
    Column("agreement"),
    Column(_FURTHER, True),
    Column("runtime", True),
)


def table(evaluations: Sequence[Evaluation]) -> str:
    """Lay out evaluations; what could not be read, and what a file lacks, stands below."""
    notes = [
        f"Scored on {split}"
        for split in dict.fromkeys(evaluation.conditions.get("split") for evaluation in evaluations)
        if split
    ]
    notes += [f"{evaluation.artifact} lacks {what}" for evaluation in evaluations for what in evaluation.lacks]
    notes += [
        f"{evaluation.artifact}: {evaluation.conditions['better_pixels']}"
        for evaluation in evaluations
        if evaluation.conditions.get("better_pixels")
    ]
    notes += map(
        _unreadable, dict.fromkeys(evaluation.unreadable for evaluation in evaluations if evaluation.unreadable)
    )
    remarks = "\n".join(f"- {inline(note)}" for note in notes)
    rows = [_row(evaluation) for evaluation in evaluations]
    # Columns that are empty in every row say nothing.
    kept = [
        place for place in range(len(_COLUMNS)) if _COLUMNS[place].title != _FURTHER or any(row[place] for row in rows)
    ]
    whole = grid([_COLUMNS[place] for place in kept], [[row[place] for place in kept] for row in rows])
    return "\n\n".join(filter(None, [whole, remarks]))


def _unreadable(names: Sequence[str]) -> str:
    what = "image file could not be read and is" if len(names) == 1 else "image files could not be read and are"
    shown = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    return f"{len(names)} {what} not counted: {shown}"


def _row(found: Evaluation) -> list[str]:
    return [
        found.artifact,
        _share(found.top1),
        " to ".join(_share(end) for end in found.interval or ()),
        _share(found.top5),
        str(found.n),
        _share(found.agreement),
        ", ".join(f"{name} {figure}" for name, figure in found.other_metrics()),
        f"{found.runtime} {found.runtime_version}",
    ]


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
