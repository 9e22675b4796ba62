"""A training run as text."""

from __future__ import annotations

from collections.abc import Iterator

from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.records.training import IntegerTuning, Training

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
    if record.integers is not None:
        yield from _integers(record.integers)
    yield ", ".join(f"{name} {seconds:.1f} s" for name, seconds in record.seconds.items())
    if record.unreadable:
        more = f" and {len(record.unreadable) - _SHOWN} more" if len(record.unreadable) > _SHOWN else ""
        yield f"not readable: {', '.join(record.unreadable[:_SHOWN])}{more}"
    yield from map(sentence, record.remarks)


def _integers(tuning: IntegerTuning) -> Iterator[str]:
    yield from tuning.artifacts
    before, after = tuning.agreement
    yield (
        f"of {tuning.n} test pictures right: float {tuning.float32 / tuning.n:.1%}, int8 by rounding "
        f"{tuning.rounded / tuning.n:.1%} (agreement {before:.1%}), tuned {tuning.tuned / tuning.n:.1%} ({after:.1%})"
    )
    if not tuning.epoch:
        yield (
            "tuning did not lower the loss on the validation pictures beyond its noise, so the files hold the integers "
            "before it"
        )
        return
    shown = "shown" if tuning.shown else "not shown: mnet export makes as good a file without --qat"
    yield (
        f"tuning gained {tuning.gained} pictures and lost {tuning.lost} (McNemar p = {tuning.p_value:.2g}); "
        f"that it helps is {shown}"
    )
