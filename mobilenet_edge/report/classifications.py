"""Format the answers of `mnet predict`."""

from __future__ import annotations

from collections.abc import Sequence

from mobilenet_edge.records import Classification
from mobilenet_edge.report.markdown_table import Column, grid, inline

_TIMES = ("decode ms", "prepare ms", "infer ms")


def table(records: Sequence[Classification]) -> str:
    """Format answers as a table with a row for each picture and model; below, the pictures on which models disagree."""
    several = len({record.artifact for record in records}) > 1
    columns = [Column("picture", True), *([Column("model", True)] if several else []), Column("answer", True)]
    rows = [
        [
            record.picture,
            *([record.artifact] if several else []),
            answer(record),
            *(f"{time:.1f}" for time in (record.decode_ms, record.prepare_ms, record.infer_ms)),
        ]
        for record in records
    ]
    notes = [f"{picture}: the models disagree ({said})" for picture, said in _disagreements(records)]
    if several and not notes:
        notes = ["The models give the same first answer to every picture"]
    notes += [f"{record} lacks {what}" for record, lacks in _lacks(records) for what in lacks]
    lines = grid([*columns, *map(Column, _TIMES)], rows)
    return "\n\n".join(filter(None, [lines, "\n".join(f"- {inline(note)}" for note in notes)]))


def line(records: Sequence[Classification]) -> str:
    """Format the answers to one picture as one line, for a camera."""
    said = "; ".join(answer(record) for record in records)
    times = " + ".join(f"{time:.1f}" for time in (records[0].decode_ms, records[0].prepare_ms, records[0].infer_ms))
    return f"{records[0].picture}: {said} ({times} ms)"


def answer(record: Classification) -> str:
    """Write the best classes with their probabilities; of several labels those above one half."""
    chosen = [entry for entry in record.answers if entry.get("yes", True)]
    if not chosen:
        return f"none of the labels (best: {_class(record.answers[0])})"
    return ", ".join(map(_class, chosen))


def _class(entry: dict[str, object]) -> str:
    name = f"class {entry['index']}" if entry["label"] is None else entry["label"]
    return f"{name} {entry['probability']:.1%}"


def _disagreements(records: Sequence[Classification]) -> list[tuple[str, str]]:
    by_picture: dict[str, dict[str, str | None]] = {}
    for record in records:
        by_picture.setdefault(record.picture, {})[record.artifact] = record.name
    return [
        (picture, ", ".join(f"{model}: {name or 'none'}" for model, name in names.items()))
        for picture, names in by_picture.items()
        if len(set(names.values())) > 1
    ]


def _lacks(records: Sequence[Classification]) -> list[tuple[str, tuple[str, ...]]]:
    return list(dict.fromkeys((record.artifact, record.lacks) for record in records))
