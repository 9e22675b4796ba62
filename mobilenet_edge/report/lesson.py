"""A training run as text."""

from __future__ import annotations

from collections.abc import Iterator

from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.records.training import Training

_SHOWN = 5


def text(record: Training) -> str:
    """Say what was trained, on what, and how right it is."""
    return "\n".join(_lines(record))


def _lines(record: Training) -> Iterator[str]:
    low, high = record.interval
    yield record.artifact
    yield (
        f"{len(record.classes)} classes, {record.pictures['train']} training and {record.pictures['validation']} "
        f"validation pictures; split {record.split[:8]}, seed {record.seed}"
    )
    yield (
        f"accuracy {record.accuracy:.1%} ({low:.1%} to {high:.1%}) of {record.n} {record.scored} pictures"
        + (", which decided when to stop" if record.scored == "validation" else "")
    )
    if record.blend:
        yield f"{record.blend:.0%} of fine-tuning kept, by the validation pictures"
    yield ", ".join(f"{name} {seconds:.1f} s" for name, seconds in record.seconds.items())
    if record.unreadable:
        more = f" and {len(record.unreadable) - _SHOWN} more" if len(record.unreadable) > _SHOWN else ""
        yield f"not readable: {', '.join(record.unreadable[:_SHOWN])}{more}"
    yield from map(sentence, record.remarks)
