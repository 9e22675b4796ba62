"""List the conditions of a row as pairs of a title and a text."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.hosts.devices import LOCAL
from mobilenet_edge.records import ArtifactRecord, Evaluation, Prediction, Profile
from mobilenet_edge.report.accuracy import scored_on
from mobilenet_edge.report.cells import median_within
from mobilenet_edge.report.columns import delegate
from mobilenet_edge.report.rows import Row
from mobilenet_edge.text import printable
from mobilenet_edge.units import format_bytes, format_count, format_ms

Pairs = Iterator[tuple[str, str]]

# Keys that have lines of their own, or are too long.
_SKIPPED: Final = frozenset(("samples", "usage", "ops", "input_shapes", "input_dtypes", "started", "affinity"))
_VARYING: Final[Mapping[str, str]] = {"load": "load", "temperature_c": "CPU temperature, °C", "throttled": "throttled"}
_DIGEST_LENGTH: Final = 12


def conditions(row: Row) -> list[tuple[str, str]]:
    """Return the identity, results and conditions of a row, each as one line of printable characters."""
    parts = [
        *(_artifact(row.artifact) if row.artifact else ()),
        *(_latency(row) if row.profile else ()),
        *(_prediction(row.prediction) if row.prediction else ()),
        *(_accuracy(row.evaluation) if row.evaluation else ()),
        *([("published top-1", f"{row.published[0]:.1f} % ({row.published[1]})")] if row.published else ()),
        *(_machine(timing) if (timing := row.profile or row.prediction) else ()),
        *(_how(row.profile.conditions) if row.profile else ()),
        *((f"could not {failure.stage}", failure.reason) for failure in row.failures),
    ]
    return [(printable(title), printable(text)) for title, text in parts]


def summary(row: Row) -> list[tuple[str, str]]:
    """Return the six facts that tell a row from others, as far as they are known."""
    profile, evaluation, artifact = row.latency, row.evaluation, row.artifact
    if profile:
        runtime = f"{profile.runtime} {profile.runtime_version}"
        latency = f"{median_within(profile.median_ms, profile.interval_ms)} ms, {runtime}"
    else:
        latency = f"{format_ms(row.prediction.predicted_ms)} ms, predicted" if row.prediction else ""
    doubts = "; ".join(sentence(doubt) for doubt in profile.doubts) if profile else ""
    facts = {
        "median": latency,
        "top-1": f"{evaluation.top1:.1%} of {evaluation.n}" if evaluation and evaluation.top1 is not None else "",
        "published": f"{row.published[0]:.1f} % ({row.published[1]})" if row.published else "",
        "size": format_bytes(artifact.size_bytes) if artifact else "",
        "memory": format_bytes(profile.peak_rss_bytes) if profile and profile.peak_rss_bytes else "",
        "doubts": doubts or ("none" if profile else ""),
    }
    return [(title, printable(text)) for title, text in facts.items() if text]


def command(row: Row) -> str | None:
    """Return the command that measures the latency of a row again; None for a row without one."""
    profile = row.profile
    if profile is None:
        return None
    host = str(profile.host.get("name") or LOCAL)
    options = [] if host == LOCAL else ["--host", host]
    if profile.delegate:
        provider = profile.delegate.get("kind") == "provider"
        options += ["--provider" if provider else "--delegate", str(profile.delegate["path"])]
        settings = profile.delegate.get("options") or {}
        options += [word for key, value in settings.items() for word in ("--delegate-option", f"{key}={value}")]
    words = [
        "mnet",
        "profile",
        profile.artifact,
        "--threads",
        str(profile.threads),
        "--runtime",
        profile.runtime,
        *options,
    ]
    return printable(shlex.join(words))


def _artifact(record: ArtifactRecord) -> Pairs:
    yield "file", record.artifact
    yield "size", f"{format_bytes(record.size_bytes)} ({record.size_bytes} bytes)"
    yield "SHA-256", f"{record.sha256[:_DIGEST_LENGTH]}…" if len(record.sha256) > _DIGEST_LENGTH else record.sha256
    if record.target:
        yield "made for", record.target
    if record.macs is not None:
        yield "MACs", format_count(record.macs)
    if record.weights:
        yield "weights", record.weights
    if record.calibration:
        facts = record.calibration
        shown = [key for key in facts if key != "sha256" and facts[key]]
        yield "calibration", ", ".join(f"{key}: {_text(facts[key])}" for key in shown)
    for fact in record.lacks:
        yield "lacks", fact


def _latency(row: Row) -> Pairs:
    profile = row.profile
    if profile is None:
        return
    yield "runtime", f"{profile.runtime} {profile.runtime_version}"
    yield "threads", str(profile.threads)
    if text := delegate(row):
        yield "delegate", text
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


def _prediction(prediction: Prediction) -> Pairs:
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
    yield "images", scored_on(evaluation)
    if evaluation.ece is not None and evaluation.confidence is not None:
        yield "calibration error", f"{evaluation.ece:.1%} (ECE), mean confidence {evaluation.confidence:.1%}"
    for remark in evaluation.remarks:
        yield "images and training", sentence(remark)
    if evaluation.agreement is not None:
        yield "agreement", f"{evaluation.agreement:.1%} with {evaluation.reference or 'the reference'}"


def _machine(timing: Profile | Prediction) -> Pairs:
    host = timing.host
    for key, value in host.items():
        if key not in ("before", "after") and value not in (None, "", (), []):
            yield _title(key), format_bytes(value) if key == "memory_bytes" else _text(value)
    if affinity := timing.conditions.get("affinity"):
        yield "CPU affinity", _text(affinity)
    before, after = (_mapping(host.get(when)) for when in ("before", "after"))
    for key, title in _VARYING.items():
        if key in before or key in after:
            yield title, f"{_text(before.get(key))} before, {_text(after.get(key))} after"


def _how(conditions: Mapping[str, Any]) -> Pairs:
    if "started" in conditions:
        yield "measured", _text(conditions["started"])
    shapes, types = conditions.get("input_shapes") or (), conditions.get("input_dtypes") or ()
    if shapes:
        yield "input", f"{_text(shapes)} {_text(types)}"
    for key, value in conditions.items():
        if key not in _SKIPPED and value not in (None, ()):
            yield _title(key), _text(value)


def _title(key: str) -> str:
    titles = {
        "os": "system",
        "isa": "instruction sets",
        "cpu": "CPU",
        "machine": "architecture",
        "name": "machine",
        "memory_bytes": "memory",
    }
    return titles.get(key, key.replace("_", " "))


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_title(str(key))} {_text(entry)}" for key, entry in value.items())
    if isinstance(value, list | tuple):
        flat = isinstance(value, tuple) or not any(isinstance(entry, list | tuple) for entry in value)
        return (", " if flat else "; ").join(_text(entry) for entry in value) or "none"
    if value is None:
        return "unknown"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
