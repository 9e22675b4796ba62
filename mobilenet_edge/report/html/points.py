"""Convert rows to plain values for the scripts of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.records import ArtifactRecord, Evaluation, Failure, Profile, Remark
from mobilenet_edge.report.columns import threads
from mobilenet_edge.report.html import thin
from mobilenet_edge.report.html.provenance import command, conditions, summary
from mobilenet_edge.report.html.shorten import shorten
from mobilenet_edge.report.rows import Row
from mobilenet_edge.text import printable

Point = dict[str, Any]

FAMILY: Final = "mobilenet_v1-"
# Family by a part of the operator type in lower case; the first match counts.
FAMILY_BY_TYPE: Final = (
    ("depthwise", "depthwise"), ("conv", "convolution"), ("fully", "dense"), ("gemm", "dense"), ("matmul", "dense"),
    ("pool", "pooling"), ("mean", "pooling"), ("quantize", "type change"), ("cast", "type change"),
)  # fmt: skip
# Decimals of a time in milliseconds; 0.1 µs is below the noise of any clock.
DIGITS: Final = 4


def points(groups: Mapping[str, Sequence[Row]], names: Mapping[str, str]) -> list[Point]:
    """Return a point for each row.

    Args:
        groups: Rows by machine, from `rows.by_machine`.
        names: Short name of each machine.
    """
    return [_point(row, names[machine]) for machine, group in groups.items() for row in group]


def label(row: Row) -> str:
    """Return a short name of the artifact of a row."""
    return name(row.record)


def name(record: ArtifactRecord | Failure) -> str:
    """Return a short name of an artifact, without the prefix of all MobileNets."""
    target = record.target if isinstance(record, ArtifactRecord) else None
    parts = [
        shorten(record.variant.removeprefix(FAMILY)),
        record.precision,
        record.format,
        target if target != "generic" else None,
    ]
    return printable(" ".join(part for part in parts if part))


def family(op_type: str) -> str:
    """Return the family of an operator type, a key of `palette.FAMILIES`."""
    return next((name for part, name in FAMILY_BY_TYPE if part in op_type.lower()), "other")


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
        "summary": summary(row),
        "command": command(row),
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
    series = thin.series(times)
    complete = len(series) == runs
    return {
        "ms": [_ms(time) for _, time in series],
        # The script numbers the runs itself if all are present.
        "run": None if complete else [run for run, _ in series],
        "dots": None if runs <= thin.DOTS else [_ms(time) for time in thin.dots(times)],
        "runs": runs,
        "rounds": list(accumulate(len(round_) for round_ in profile.rounds[:-1])),
        "p90_ms": profile.percentile_ms(90),
    }


def _ops(profile: Profile) -> Point:
    about = profile.conditions.get("ops")
    ops = [
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
    return {"list": ops, "how": printable(str(about.get("how", ""))) if isinstance(about, dict) else ""}


def _ms(time_ns: int) -> float:
    return round(time_ns / 1e6, DIGITS)


def _plain(text: str | None) -> str | None:
    return None if text is None else printable(text)
