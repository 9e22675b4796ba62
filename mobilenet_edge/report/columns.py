"""Convert a row of the table to plain values for CSV and JSON."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from mobilenet_edge.analysis.conditions import unusable
from mobilenet_edge.report.rows import Row


def values(row: Row) -> dict[str, Any]:
    """Return the values by column name, with units in the names; None if unknown or if the latency is unusable."""
    return {**_file(row), **_latency(row), **_accuracy(row), **_provenance(row)}


def _file(row: Row) -> dict[str, Any]:
    record, artifact, spec, profile = row.record, row.artifact, row.spec, row.profile
    timing = profile or row.prediction
    return {
        "variant": record.variant,
        "alpha": spec and spec.alpha,
        "resolution_px": spec and spec.resolution,
        "classes": spec and spec.classes,
        "format": record.format,
        "precision": record.precision,
        "target": artifact and artifact.target,
        "machine": row.machine or None,
        "runtime": timing and timing.runtime,
        "runtime_version": timing and timing.runtime_version,
        "threads": threads(row),
        "delegate": delegate(row) if profile and profile.delegate else None,
        "macs": artifact and artifact.macs,
        "parameters": artifact and artifact.parameters,
        "size_bytes": artifact and artifact.size_bytes,
    }


def _latency(row: Row) -> dict[str, Any]:
    profile, predicted = row.latency, row.prediction
    low, high = (profile and profile.interval_ms) or (None, None)
    energy = (profile and profile.energy) or {}
    least_mj, most_mj = energy.get("interval_mj", (None, None))
    return {
        "median_ms": profile and profile.median_ms,
        "median_low_ms": low,
        "median_high_ms": high,
        "predicted_ms": predicted and predicted.predicted_ms,
        "predicted_low_ms": predicted and predicted.low_ms,
        "predicted_high_ms": predicted and predicted.high_ms,
        "p90_ms": profile and profile.percentile_ms(90),
        "p95_ms": profile and profile.percentile_ms(95),
        "spread_percent": profile and 100 * profile.spread,
        "runs": profile and len(profile.times_ns),
        "of_limit_percent": _percent(profile.of_limit if profile else None),
        "preprocess_ms": profile and profile.preprocess_ms,
        "peak_rss_bytes": profile and profile.peak_rss_bytes,
        "energy_mj": energy.get("mj"),
        "energy_low_mj": least_mj,
        "energy_high_mj": most_mj,
        "energy_of": energy.get("source"),
    }


def _accuracy(row: Row) -> dict[str, Any]:
    evaluation = row.evaluation
    published, kind = row.published or (None, None)
    low, high = (evaluation and evaluation.interval) or (None, None)
    return {
        "top1_percent": _percent(evaluation.top1 if evaluation else None),
        "top1_low_percent": _percent(low),
        "top1_high_percent": _percent(high),
        "top5_percent": _percent(evaluation.top5 if evaluation else None),
        "head": evaluation and evaluation.head,
        "f1_macro_percent": _percent(evaluation.f1_macro if evaluation else None),
        "mean_average_precision_percent": _percent(evaluation.mean_average_precision if evaluation else None),
        "cosine": evaluation and evaluation.cosine,
        "images": evaluation and evaluation.n,
        "data": evaluation and evaluation.data,
        "agreement_percent": _percent(evaluation.agreement if evaluation else None),
        "published_top1_percent": published,
        "published_kind": kind,
        "pareto": row.pareto,
    }


def _provenance(row: Row) -> dict[str, Any]:
    artifact, profile = row.artifact, row.profile
    calibration = (artifact and artifact.calibration) or {}
    reason = profile and unusable(profile)
    return {
        "weights": artifact and artifact.weights,
        "calibration": calibration.get("source"),
        "calibration_note": calibration.get("note") or None,
        "artifact": row.record.artifact,
        "sha256": artifact and artifact.sha256,
        "failed": "; ".join(f"{failure.stage}: {failure.reason}" for failure in row.failures) or None,
        "not_used": reason and reason.to_dict(),
        "doubts": [doubt.to_dict() for doubt in profile.doubts] if profile else [],
        "notes": [note.to_dict() for note in profile.notes] if profile else [],
    }


def delegate(row: Row) -> str | None:
    """Return the library of the delegate and the ops it ran, "libedgetpu.so.1 31/31 ops", or None without one."""
    facts = row.profile and row.profile.delegate
    return f"{PurePosixPath(facts['path']).name} {facts['nodes']}/{facts['total']} ops" if facts else None


def threads(row: Row) -> int | None:
    """Return the number of threads of the profile, the prediction or the failure."""
    timing = row.profile or row.prediction
    return timing.threads if timing else next((failure.threads for failure in row.failures), None)


def _percent(share: float | None) -> float | None:
    # Nine digits are exact for quotients of image counts, and remove the error of multiplying by 100.
    return None if share is None else round(100 * share, 9)
