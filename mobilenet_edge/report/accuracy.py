"""Format the results of `mnet evaluate`."""

from __future__ import annotations

from collections.abc import Sequence

from mobilenet_edge.records import Evaluation
from mobilenet_edge.report.markdown_table import Column, grid, inline

_MAX_NAMES = 5
_OTHER_METRICS = "other metrics"
_COLUMNS = (
    Column("artifact", True),
    Column("top-1"),
    Column("95 % interval"),
    Column("top-5"),
    Column("n"),
    Column("agreement"),
    Column(_OTHER_METRICS, True),
    Column("runtime", True),
)


def table(evaluations: Sequence[Evaluation]) -> str:
    """Format evaluations as a table, with notes on unreadable images and missing metadata below."""
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
    # The column is left out if it is empty in every row.
    shown = [
        place
        for place in range(len(_COLUMNS))
        if _COLUMNS[place].title != _OTHER_METRICS or any(row[place] for row in rows)
    ]
    lines = grid([_COLUMNS[place] for place in shown], [[row[place] for place in shown] for row in rows])
    return "\n\n".join(filter(None, [lines, remarks]))


def _unreadable(names: Sequence[str]) -> str:
    what = "image file could not be read and is" if len(names) == 1 else "image files could not be read and are"
    shown = ", ".join(names[:_MAX_NAMES]) + (", ..." if len(names) > _MAX_NAMES else "")
    return f"{len(names)} {what} not counted: {shown}"


def _row(evaluation: Evaluation) -> list[str]:
    return [
        evaluation.artifact,
        _share(evaluation.top1),
        " to ".join(_share(end) for end in evaluation.interval or ()),
        _share(evaluation.top5),
        str(evaluation.n),
        _share(evaluation.agreement),
        ", ".join(f"{name} {figure}" for name, figure in evaluation.other_metrics()),
        f"{evaluation.runtime} {evaluation.runtime_version}",
    ]


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
