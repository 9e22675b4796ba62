"""Write the texts shared by the formats for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mobilenet_edge import units
from mobilenet_edge.budget.limit import Limit
from mobilenet_edge.budget.subject import Subject
from mobilenet_edge.budget.verdict import Outcome, Verdict
from mobilenet_edge.report.markdown_table import Column, grid
from mobilenet_edge.report.verdicts import Check

WORDS: Final = {
    Outcome.failed: "FAILED",
    Outcome.missing: "MISSING",
    Outcome.not_applicable: "not applicable",
    Outcome.passed: "passed",
}
NONE: Final = "-"
# Reading the contents of a file is slow, and more tables are not readable anyway.
MAX_TABLES: Final = 10
_ORDER: Final = list(WORDS)
_COLUMNS: Final = (
    Column("outcome", words=True),
    Column("artifact", words=True),
    Column("what", words=True),
    Column("actual"),
    Column("limit"),
    Column("change"),
    Column("remark", words=True),
)


def summary(check: Check) -> str:
    """Summarise a check in one line."""
    count = check.count
    parts = [f"{count[outcome]} {WORDS[outcome].lower()}" for outcome in WORDS if count[outcome]]
    files = f"{len(check.subjects)} artifact{'s' * (len(check.subjects) != 1)}"
    against = f", against {check.baseline.source}" if check.baseline else ""
    return f"{', '.join(parts) or 'nothing to check'}: {files}, {check.budgets.path}{against}"


def table(check: Check) -> str:
    """Format every verdict, failures first."""
    ordered = sorted(check.verdicts, key=lambda verdict: _ORDER.index(verdict.outcome))
    return grid(_COLUMNS, [_row(verdict) for verdict in ordered]) if ordered else ""


def remarks(check: Check) -> Iterator[str]:
    """Yield the tightened limits, the artifacts without a budget, and other notes."""
    for change in check.changes:
        yield f"Tightened {change.key} of {change.budget}: {change.before} to {change.after}."
    if check.free:
        yield f"No budget matches {', '.join(check.free)}."
    yield from check.notes


def where(check: Check) -> Iterator[tuple[Subject, str]]:
    """Yield the artifacts that exceed a size limit, each with a table of its bytes by part."""
    # An artifact can exceed more than one limit.
    failed = {
        id(verdict.subject): verdict.subject for verdict in check.verdicts if _of_size(verdict) and verdict.subject
    }
    for subject in list(failed.values())[:MAX_TABLES]:
        old = check.before(subject)
        sections = subject.sections()
        if sections:
            yield subject, _sections(sections, old.bytes if old else None)


def actual(verdict: Verdict) -> str:
    """Format the figure of a verdict in the unit of its limit."""
    return _figure(verdict.limit, verdict.actual)


def bound(verdict: Verdict) -> str:
    """Format the limit as written in the file; for a relative limit, also its absolute value."""
    if verdict.limit is None:
        return NONE
    text = f"{'at least ' * verdict.limit.metric.floor}{verdict.limit.text}"
    return f"{text} = {_figure(verdict.limit, verdict.bound)}" if verdict.limit.relative and verdict.bound else text


def change(verdict: Verdict) -> str:
    """Format the change of the figure from the baseline."""
    if verdict.limit is None or verdict.actual is None or verdict.before is None:
        return NONE
    return verdict.limit.metric.change(verdict.actual, verdict.before)


def name(verdict: Verdict) -> str:
    """Return the name of the artifact, or of a budget without one."""
    return verdict.subject.artifact if verdict.subject else f"budget: {verdict.budget}"


def what(verdict: Verdict) -> str:
    """Return the name of the metric."""
    return verdict.limit.metric.title if verdict.limit else "match"


def _row(verdict: Verdict) -> list[str]:
    return [
        WORDS[verdict.outcome], name(verdict), what(verdict), actual(verdict), bound(verdict), change(verdict),
        verdict.reason,
    ]  # fmt: skip


def _figure(limit: Limit | None, value: float | None) -> str:
    return NONE if limit is None or value is None else limit.metric.text(value, binary=limit.binary)


def _of_size(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.failed and verdict.limit is not None and verdict.limit.metric.key == "size"


def _sections(sections: dict[str, int], before: dict[str, int] | None) -> str:
    columns = [Column("part", words=True), Column("size"), Column("share")]
    total = sum(sections.values())
    parts = sorted({**(before or {}), **sections}, key=lambda part: -sections.get(part, 0))
    rows = []
    for part in parts:
        size = sections.get(part, 0)
        growth = [f"{size - before.get(part, 0):+,} B".replace(",", " ")] if before else []
        if size or (before and before.get(part)):
            rows.append([part, units.format_bytes(size), f"{size / total:.1%}" if total else NONE, *growth])
    return grid([*columns, Column("change")] if before else columns, rows)
