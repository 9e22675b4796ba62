"""All that is known of a row, as pairs of a title and a text: what a figure is worth without them is little."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mobilenet_edge.records import ArtifactRecord, Evaluation, Prediction, Profile
from mobilenet_edge.report.cells import median_within
from mobilenet_edge.report.columns import delegate
from mobilenet_edge.report.rows import Row
from mobilenet_edge.text import printable
from mobilenet_edge.units import format_bytes, format_count, format_ms

Pairs = Iterator[tuple[str, str]]

# Told by their own lines, or of a length that no page holds.
_ELSEWHERE: Final = frozenset(("samples", "usage", "ops", "input_shapes", "input_dtypes", "started", "affinity"))
_MOVING: Final[Mapping[str, str]] = {"load": "load", "temperature_c": "CPU temperature, °C", "throttled": "throttled"}
_LENGTH: Final = 12


def conditions(row: Row) -> list[tuple[str, str]]:
    """Say of a row what was measured on what and how, one line of printable characters each."""
    parts = [
        *(_artifact(row.artifact) if row.artifact else ()),
        *(_latency(row) if row.profile else ()),
        *(_expected(row.prediction) if row.prediction else ()),
        *(_accuracy(row.evaluation) if row.evaluation else ()),
        *([("published top-1", f"{row.published[0]:.1f} % ({row.published[1]})")] if row.published else ()),
        *(_machine(known) if (known := row.profile or row.prediction) else ()),
        *(_how(row.profile.conditions) if row.profile else ()),
        *((f"could not {failure.stage}", failure.reason) for failure in row.failures),
    ]
    return [(printable(title), printable(text)) for title, text in parts]


def _artifact(record: ArtifactRecord) -> Pairs:
    yield "file", record.artifact
    yield "size", f"{format_bytes(record.size_bytes)} ({record.size_bytes} bytes)"
    yield "SHA-256", f"{record.sha256[:_LENGTH]}…" if len(record.sha256) > _LENGTH else record.sha256
    if record.target:
        yield "made for", record.target
    if record.macs is not None:
        yield "MACs", format_count(record.macs)
    if record.weights:
        yield "weights", record.weights
    if record.calibration:
        own = record.calibration
        yield "calibration", ", ".join(f"{key}: {_text(own[key])}" for key in own if key != "sha256" and own[key])
    for fact in record.lacks:
        yield "does not say", fact


def _latency(row: Row) -> Pairs:
    profile = row.profile
    if profile is None:
        return
    yield "runtime", f"{profile.runtime} {profile.runtime_version}"
    yield "threads", str(profile.threads)
    if took := delegate(row):
        yield "delegate", took
    if row.latency:
        yield "median", f"{median_within(profile.median_ms, profile.interval_ms)} ms (95 %)"
        percentiles = {percent: profile.percentile_ms(percent) for percent in (90, 95, 99)}
        known = [f"p{percent} {format_ms(value)}" for percent, value in percentiles.items() if value is not None]
        yield "percentiles", f"{', '.join(known)} ms" if known else "too few runs"
        yield "spread", f"±{profile.spread:.1%}"
        yield "runs", f"{len(profile.times_ns)} in {len(profile.rounds)} processes"
        yield "load, first run", f"{format_ms(profile.load_ms)} ms, {format_ms(profile.first_ms)} ms"
    if profile.preprocess_ms is not None:
        yield "preprocessing", f"{format_ms(profile.preprocess_ms)} ms, not in the median"
    if profile.of_limit is not None and row.latency:
        yield "of the machine's limit", f"{profile.of_limit:.0%}"
    if profile.peak_rss_bytes is not None:
        yield "peak memory", format_bytes(profile.peak_rss_bytes)


def _expected(prediction: Prediction) -> Pairs:
    low, high = (format_ms(end) for end in prediction.interval_ms)
    yield "runtime", f"{prediction.runtime} {prediction.runtime_version}"
    yield "threads", str(prediction.threads)
    yield "predicted median", f"{format_ms(prediction.predicted_ms)} ms, not measured (95 %: {low} to {high} ms)"
    yield "predicted from", f"{prediction.measured} models measured; median error {prediction.error:.0%}"


def _accuracy(evaluation: Evaluation) -> Pairs:
    if evaluation.top1 is not None and evaluation.interval is not None:
        low, high = evaluation.interval
        yield "top-1", f"{evaluation.top1:.1%} ({low:.1%} to {high:.1%})"
    if evaluation.top5 is not None:
        yield "top-5", f"{evaluation.top5:.1%}"
    yield from evaluation.other_metrics()
    yield "images", f"{evaluation.n} of {evaluation.data}" if evaluation.data else str(evaluation.n)
    if evaluation.agreement is not None:
        yield "agreement", f"{evaluation.agreement:.1%} with {evaluation.reference or 'the reference'}"


def _machine(known: Profile | Prediction) -> Pairs:
    host = known.host
    for key, value in host.items():
        if key not in ("before", "after") and value not in (None, "", (), []):
            yield _title(key), format_bytes(value) if key == "memory_bytes" else _text(value)
    if pinned := known.conditions.get("affinity"):
        yield "held to CPU", _text(pinned)
    before, after = (_mapping(host.get(when)) for when in ("before", "after"))
    for key, title in _MOVING.items():
        if key in before or key in after:
            yield title, f"{_text(before.get(key))} before, {_text(after.get(key))} after"


def _how(own: Mapping[str, Any]) -> Pairs:
    if "started" in own:
        yield "measured", _text(own["started"])
    shapes, types = own.get("input_shapes") or (), own.get("input_dtypes") or ()
    if shapes:
        yield "input", f"{_text(shapes)} {_text(types)}"
    for key, value in own.items():
        if key not in _ELSEWHERE and value not in (None, ()):
            yield _title(key), _text(value)


def _title(key: str) -> str:
    plain = {
        "os": "system",
        "isa": "instruction sets",
        "cpu": "CPU",
        "machine": "architecture",
        "name": "machine",
        "memory_bytes": "memory",
    }
    return plain.get(key, key.replace("_", " "))


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_title(str(key))} {_text(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        flat = isinstance(value, tuple) or not any(isinstance(each, list | tuple) for each in value)
        return (", " if flat else "; ").join(_text(each) for each in value) or "none"
    if value is None:
        return "unknown"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
