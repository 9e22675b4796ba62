"""Rows as plain values, which is what the page's script draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.records import Evaluation, Profile, Remark
from mobilenet_edge.report.columns import threads
from mobilenet_edge.report.html import thin
from mobilenet_edge.report.html.provenance import conditions
from mobilenet_edge.report.html.shorten import shorten
from mobilenet_edge.report.rows import Row
from mobilenet_edge.text import printable

Point = dict[str, Any]

FAMILY: Final = "mobilenet_v1-"
# Part of an operator's kind, in small letters, to what it is; the first that fits.
KINDS: Final = (
    ("depthwise", "depthwise"), ("conv", "convolution"), ("fully", "dense"), ("gemm", "dense"), ("matmul", "dense"),
    ("pool", "pooling"), ("mean", "pooling"), ("quantize", "type change"), ("cast", "type change"),
)  # fmt: skip
# Of a millisecond: a tenth of a microsecond, which is finer than any clock's noise.
DIGITS: Final = 4


def points(groups: Mapping[str, Sequence[Row]], names: Mapping[str, str]) -> list[Point]:
    """Return a point for each row, by machine.

    Args:
        groups: Rows of each machine, as `rows.by_machine` gives them.
        names: Short name of each machine.
    """
    return [_point(row, names[machine]) for machine, group in groups.items() for row in group]


def label(row: Row) -> str:
    """Name a row's artifact in few letters: without what all the paper's models are called."""
    record = row.record
    target = row.artifact.target if row.artifact else None
    parts = [
        shorten(record.variant.removeprefix(FAMILY)),
        record.precision,
        record.format,
        target if target != "generic" else None,
    ]
    return printable(" ".join(each for each in parts if each))


def family(kind: str) -> str:
    """Name the family of an operator: a key of `palette.FAMILIES`."""
    return next((name for part, name in KINDS if part in kind.lower()), "other")


def _point(row: Row, machine: str) -> Point:
    profile, evaluation, artifact, predicted = row.latency, row.evaluation, row.artifact, row.prediction
    return {
        "label": label(row),
        "device": machine,
        "format": _plain(row.record.format),
        "precision": _plain(row.record.precision),
        "threads": threads(row),
        "file": artifact.sha256 if artifact else None,
        "size_bytes": artifact.size_bytes if artifact else None,
        "median_ms": profile.median_ms if profile else predicted and predicted.predicted_ms,
        "interval_ms": profile.interval_ms if profile else predicted and predicted.interval_ms,
        "predicted": predicted is not None,
        "measured": evaluation and _accuracy(evaluation),
        "published": row.published and {"top1": row.published[0], "interval": None, "images": None},
        "conditions": conditions(row),
        "doubts": [_remark(doubt) for doubt in profile.doubts] if profile else [],
        "notes": [_remark(note) for note in profile.notes] if profile else [],
        "times": _times(profile) if profile else None,
        "ops": _ops(profile) if profile and profile.ops else None,
        "trace": [dict(minute) for minute in profile.trace] if profile and profile.trace else None,
    }


def _accuracy(evaluation: Evaluation) -> dict[str, Any] | None:
    if evaluation.top1 is None or evaluation.interval is None:
        return None
    return {
        "top1": round(100 * evaluation.top1, DIGITS),
        "interval": [round(100 * end, DIGITS) for end in evaluation.interval],
        "images": printable(f"{evaluation.n} images of {evaluation.data}"),
    }


def _remark(remark: Remark) -> dict[str, str]:
    return {"code": printable(remark.code), "text": printable(sentence(remark))}


def _times(profile: Profile) -> Point:
    times, runs = profile.times_ns, len(profile.times_ns)
    kept = thin.series(times)
    whole = len(kept) == runs
    return {
        "ms": [_ms(time) for _, time in kept],
        # The index of a run tells nothing where all runs are there.
        "run": None if whole else [run for run, _ in kept],
        "dots": None if runs <= thin.DOTS else [_ms(time) for time in thin.dots(times)],
        "runs": runs,
        "rounds": list(accumulate(len(round_) for round_ in profile.rounds[:-1])),
        "p90_ms": profile.percentile_ms(90),
    }


def _ops(profile: Profile) -> Point:
    about = profile.conditions.get("ops")
    own = [
        {
            "kind": printable(op["kind"]),
            "family": family(op["kind"]),
            "name": printable(str(op.get("name", ""))),
            "ms": round(op["ms"], DIGITS + 2),
            "macs": op.get("macs"),
            "speed": op.get("gmacs_per_s"),
        }
        for op in profile.ops or ()
    ]
    return {"list": own, "how": printable(str(about.get("how", ""))) if isinstance(about, dict) else ""}


def _ms(time_ns: int) -> float:
    return round(time_ns / 1e6, DIGITS)


def _plain(text: str | None) -> str | None:
    return None if text is None else printable(text)
