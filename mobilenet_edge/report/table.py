"""The tradeoff table: Markdown for reading, CSV and JSON for machines.

Each takes one row or more, as `rows.join` makes them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from csv import DictWriter
from json import dumps
from typing import Any, Final, NamedTuple

from mobilenet_edge.records import Evaluation
from mobilenet_edge.report.markdown import Column, grid, printable
from mobilenet_edge.report.notes import doubts, kind, notes, runtimes
from mobilenet_edge.report.rows import Row, by_machine
from mobilenet_edge.units import format_bytes, format_count, format_ms

SCHEMA_VERSION: Final = 1
NOT_MEASURED: Final = "not measured"
NONE: Final = "-"

Rows = Sequence[Row]


class _Field(NamedTuple):
    """A column for reading: its title, its text for a row, and which tables have it."""

    column: Column
    cell: Callable[[Row], str]
    needed: Callable[[Rows], bool] = lambda rows: True


def markdown(rows: Rows) -> str:
    """Lay out a table for each machine, large models first, with its conditions under it."""
    return "\n\n".join(_section(machine, group) for machine, group in by_machine(rows).items())


def csv(rows: Rows) -> str:
    """Write one line a row: plain values, units in the column names, empty where nothing is known."""
    text = io.StringIO()
    values = [_values(row) for row in rows]
    writer = DictWriter(text, fieldnames=list(values[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({**each, "pareto": int(each["pareto"]), "doubts": "; ".join(each["doubts"])} for each in values)
    return text.getvalue().rstrip("\n")


def json(rows: Rows) -> str:
    """Write the rows of each machine, with the columns of `csv`, beside its facts and the notes on its conditions."""
    tables = [
        {
            "machine": machine or None,
            "host": _host(group),
            "runtimes": runtimes(row.profile for row in group if row.profile),
            "notes": notes(group),
            "rows": [{**_values(row), "conditions": row.profile and row.profile.conditions} for row in group],
        }
        for machine, group in by_machine(rows).items()
    ]
    return dumps({"schema_version": SCHEMA_VERSION, "tables": tables}, indent=1)


def _host(rows: Rows) -> dict[str, Any] | None:
    """Return the facts that all rows of a machine share; what moves stays in the records."""
    host = next((row.profile.host for row in rows if row.profile), None)
    return host and {name: fact for name, fact in host.items() if name not in ("before", "after")}


def _section(machine: str, rows: Rows) -> str:
    numbers = {doubt: number for number, doubt in enumerate(doubts(rows), start=1)}
    marks = _Field(Column("doubts"), lambda row: _marks(row, numbers), lambda _: bool(numbers))
    shown = [each for each in (*_FIELDS, marks) if each.needed(rows)]
    cells = [[each.cell(row) for each in shown] for row in rows]
    table = grid([each.column for each in shown], cells)
    remarks = "\n".join(f"- {printable(note)}" for note in notes(rows))
    return f"### {printable(machine) or 'Not profiled'}\n\n{table}\n\n{remarks}"


def _marks(row: Row, numbers: dict[str, int]) -> str:
    return (
        ", ".join(str(each) for each in sorted({numbers[kind(doubt)] for doubt in row.profile.doubts}))
        if row.profile
        else ""
    )


def _values(row: Row) -> dict[str, Any]:
    record, profile, evaluation = row.record, row.profile, row.evaluation
    spec = record.spec or {}
    published, kind = row.published or (None, None)
    low, high = evaluation.interval if evaluation else (None, None)
    return {
        "variant": record.variant,
        "alpha": spec.get("alpha"),
        "resolution_px": spec.get("resolution"),
        "classes": spec.get("classes"),
        "format": record.format,
        "precision": record.precision,
        "target": record.target,
        "machine": row.machine or None,
        "runtime": profile and profile.runtime,
        "runtime_version": profile and profile.runtime_version,
        "threads": profile and profile.threads,
        "macs": record.macs,
        "parameters": record.parameters,
        "size_bytes": record.size_bytes,
        "median_ms": profile and profile.median_ms,
        "p90_ms": profile and profile.percentile_ms(90),
        "spread_percent": profile and 100 * profile.spread,
        "runs": profile and len(profile.times_ns),
        "peak_rss_bytes": profile and profile.peak_rss_bytes,
        "top1_percent": _percent(evaluation.top1 if evaluation else None),
        "top1_low_percent": _percent(low),
        "top1_high_percent": _percent(high),
        "top5_percent": _percent(evaluation.top5 if evaluation else None),
        "images": evaluation and evaluation.n,
        "data": evaluation and evaluation.data,
        "agreement_percent": _percent(evaluation.agreement if evaluation else None),
        "published_top1_percent": published,
        "published_kind": kind,
        "pareto": row.pareto,
        "weights": record.weights,
        "calibration": (record.calibration or {}).get("source"),
        "calibration_note": (record.calibration or {}).get("note") or None,
        "artifact": record.artifact,
        "sha256": record.sha256,
        "doubts": list(profile.doubts) if profile else [],
    }


def _percent(share: float | None) -> float | None:
    # Shares are quotients of image counts; nine digits keep them exact and lose the noise of times 100.
    return None if share is None else round(100 * share, 9)


def _top1(evaluation: Evaluation | None) -> str:
    if evaluation is None:
        return NOT_MEASURED
    low, high = evaluation.interval
    return f"{100 * evaluation.top1:.1f} ±{50 * (high - low):.1f} ({evaluation.n})"


def _p90(row: Row) -> str:
    p90 = row.profile.percentile_ms(90) if row.profile else None
    return NONE if p90 is None else format_ms(p90)


def _agreement(row: Row) -> str:
    agreement = row.evaluation.agreement if row.evaluation else None
    return NONE if agreement is None else f"{100 * agreement:.1f}"


def _runtime(row: Row) -> str:
    return runtimes([row.profile])[0] if row.profile else NONE


def _published(row: Row) -> str:
    return f"{row.published[0]:.1f} {row.published[1]}" if row.published else NONE


def _count(number: int | None) -> str:
    return NONE if number is None else format_count(number)


def _special_targets(rows: Rows) -> bool:
    return any(row.record.target not in (None, "generic") for row in rows)


def _many_threads(rows: Rows) -> bool:
    return len({row.profile.threads for row in rows if row.profile}) > 1


def _any_agreement(rows: Rows) -> bool:
    return any(row.evaluation and row.evaluation.agreement is not None for row in rows)


def _many_runtimes(rows: Rows) -> bool:
    pairs = {(row.profile.format, _runtime(row)) for row in rows if row.profile}
    return len(pairs) > len({format for format, _ in pairs})


# What the notes say for all rows at once needs no column.
_FIELDS: Final = (
    _Field(Column("variant", words=True), lambda row: row.record.variant),
    _Field(Column("format", words=True), lambda row: row.record.format),
    _Field(Column("precision", words=True), lambda row: row.record.precision),
    _Field(Column("target", words=True), lambda row: row.record.target or NONE, _special_targets),
    _Field(Column("runtime", words=True), _runtime, _many_runtimes),
    _Field(Column("threads"), lambda row: str(row.profile.threads) if row.profile else NONE, _many_threads),
    _Field(Column("MACs"), lambda row: _count(row.record.macs)),
    _Field(Column("params"), lambda row: _count(row.record.parameters)),
    _Field(Column("size"), lambda row: format_bytes(row.record.size_bytes)),
    _Field(Column("median ms"), lambda row: format_ms(row.profile.median_ms) if row.profile else NOT_MEASURED),
    _Field(Column("p90 ms"), _p90),
    _Field(Column("top-1 (n)"), lambda row: _top1(row.evaluation)),
    _Field(Column("published"), _published),
    _Field(Column("agreement"), _agreement, _any_agreement),
    _Field(Column("Pareto"), lambda row: "*" if row.pareto else ""),
)
