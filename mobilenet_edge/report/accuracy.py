"""Format the results of `mnet evaluate`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.hosts.devices import LOCAL
from mobilenet_edge.records import Evaluation
from mobilenet_edge.report import mistakes
from mobilenet_edge.report.markdown_table import Column, grid, inline

_MAX_NAMES = 5
_DIGEST_LENGTH = 8
_COLUMNS = (
    Column("artifact", True),
    Column("top-1"),
    Column("95 % interval"),
    Column("top-5"),
    Column("n"),
    Column("agreement"),
    Column("ECE"),
    Column("other metrics", True),
    Column("runtime", True),
)
# Left out if they are empty in every row.
_OPTIONAL = ("ECE", "other metrics")


def table(evaluations: Sequence[Evaluation], *, details: bool = False) -> str:
    """Format evaluations as tables, with notes on the images and on missing metadata below.

    Args:
        evaluations: What was measured.
        details: Whether to list every class and the changed pictures.
    """
    rows = [_row(evaluation) for evaluation in evaluations]
    shown = [
        place
        for place in range(len(_COLUMNS))
        if _COLUMNS[place].title not in _OPTIONAL or any(row[place] for row in rows)
    ]
    lines = grid([_COLUMNS[place] for place in shown], [[row[place] for place in shown] for row in rows])
    remarks = "\n".join(f"- {inline(note)}" for note in _notes(evaluations))
    return "\n\n".join(filter(None, [lines, *mistakes.sections(evaluations, details=details), remarks]))


def scored_on(evaluation: Evaluation) -> str:
    """Say which images an accuracy is of: "500 images of photos (1a2b3c4d)", with the start of their digest."""
    images = f"{evaluation.n} images"
    if evaluation.data:
        images += f" of {evaluation.data}"
    return f"{images} ({evaluation.pictures[:_DIGEST_LENGTH]})" if evaluation.pictures else images


def seen(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    """Yield what is known about whether the images were used to make the files, one sentence each."""
    remarks = [{sentence(remark) for remark in evaluation.remarks} for evaluation in evaluations]
    names = mistakes.short_names(evaluations)
    for text in dict.fromkeys(sentence(remark) for evaluation in evaluations for remark in evaluation.remarks):
        files = [names[each.artifact] for each, own in zip(evaluations, remarks, strict=True) if text in own]
        yield f"{mistakes.listed(files, len(evaluations))}: {text}"


def _notes(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    for images in dict.fromkeys(scored_on(evaluation) for evaluation in evaluations):
        yield f"Scored on {images}"
    for split in dict.fromkeys(evaluation.conditions.get("split") for evaluation in evaluations):
        if split:
            yield f"Scored on {split}"
    yield from filter(None, map(_here, evaluations))
    yield from seen(evaluations)
    yield from mistakes.needed(evaluations)
    for evaluation in evaluations:
        yield from (f"{evaluation.artifact} lacks {what}" for what in evaluation.lacks)
    for evaluation in evaluations:
        if evaluation.conditions.get("better_pixels"):
            yield f"{evaluation.artifact}: {evaluation.conditions['better_pixels']}"
    yield from map(
        _unreadable, dict.fromkeys(evaluation.unreadable for evaluation in evaluations if evaluation.unreadable)
    )


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
        _share(evaluation.ece),
        ", ".join(f"{name} {figure}" for name, figure in evaluation.other_metrics()),
        _runner(evaluation),
    ]


def _runner(evaluation: Evaluation) -> str:
    """Name what ran a model: its runtime, a delegate and another machine."""
    delegate = f" with {evaluation.delegate['path'].rpartition('/')[2]}" if evaluation.delegate else ""
    where = f" on {evaluation.host}" if evaluation.host != LOCAL else ""
    return f"{evaluation.runtime} {evaluation.runtime_version}{delegate}{where}"


def _here(evaluation: Evaluation) -> str | None:
    """Compare the answers of another place with those to the same tensors here; None where all ran here."""
    here = evaluation.workstation
    if here is not None:
        alike = f"{here['agreement']:.1%} of the answers" if "agreement" in here else f"cosine {here['cosine']:.4f}"
        other = f"{here['runtime']} {here['runtime_version']}"
        return f"{evaluation.artifact}: same as {other} on this machine, given the same tensors: {alike}"
    if evaluation.host != LOCAL or evaluation.delegate:
        return f"{evaluation.artifact} does not run on this machine by itself, so its answers could not be compared"
    return None


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
