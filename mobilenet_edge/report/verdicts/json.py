"""Format a check as JSON, which can be the baseline of later checks."""

from __future__ import annotations

from dataclasses import asdict, replace
from json import dumps
from typing import Any

from mobilenet_edge.budget.baseline import KIND, SCHEMA_VERSION
from mobilenet_edge.budget.subject import Subject
from mobilenet_edge.budget.verdict import Verdict
from mobilenet_edge.report.verdicts import Check


def dump(check: Check) -> str:
    """Format the verdicts and the artifacts with all their figures, including the bytes by part."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "passed": check.passed,
        "count": {outcome.value: count for outcome, count in check.count.items()},
        "budgets": str(check.budgets.path),
        "baseline": check.baseline and check.baseline.source,
        "verdicts": [_verdict(check, verdict) for verdict in check.verdicts],
        "artifacts": [replace(subject, bytes=subject.sections()).to_dict() for subject in check.subjects],
        "without_budget": list(check.free),
        "tightened": [asdict(change) for change in check.changes],
        "notes": list(check.notes),
    }
    return dumps(document, indent=1)


def _verdict(check: Check, verdict: Verdict) -> dict[str, Any]:
    limit = verdict.limit
    return {
        "budget": verdict.budget,
        "line": check.line(verdict),
        "outcome": verdict.outcome.value,
        "artifact": verdict.subject and verdict.subject.artifact,
        "metric": limit and limit.metric.key,
        "unit": limit and {"bytes": "B", "count": "", "ms": "ms", "share": "of 1"}[limit.metric.kind],
        "written": limit and limit.text,
        "limit": verdict.bound,
        "actual": verdict.actual,
        "baseline": verdict.before,
        "change": verdict.change,
        "reason": verdict.reason or None,
        "where": _where(check, verdict),
    }


def _where(check: Check, verdict: Verdict) -> list[dict[str, Any]] | None:
    subject, limit = verdict.subject, verdict.limit
    if subject is None or limit is None or limit.metric.key != "size" or not verdict.bad:
        return None
    return _parts(subject, check.before(subject))


def _parts(subject: Subject, old: Subject | None) -> list[dict[str, Any]] | None:
    sections, before = subject.sections(), old and old.bytes
    if sections is None:
        return None
    return [
        {"part": part, "bytes": size, "change": size - before.get(part, 0) if before else None}
        for part, size in {**dict.fromkeys(before or {}, 0), **sections}.items()
    ]
