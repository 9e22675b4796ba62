"""Format a row of the tradeoff table as text: its columns and their cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from mobilenet_edge.report.columns import delegate, threads
from mobilenet_edge.report.markdown_table import Column
from mobilenet_edge.report.notes import runtimes
from mobilenet_edge.report.rows import Row
from mobilenet_edge.units import format_bytes, format_count, format_ms

NOT_MEASURED: Final = "not measured"
FAILED: Final = "failed"
STOPPED: Final = "stopped"
INVALID: Final = "invalid"
EMULATED: Final = "emulated"
NONE: Final = "-"

Rows = Sequence[Row]


class Field(NamedTuple):
    """Column of the table.

    Attributes:
        column: Title and alignment.
        cell: Function that returns the text of a row.
        needed: Function that returns whether a table with these rows shows the column.
    """

    column: Column
    cell: Callable[[Row], str]
    needed: Callable[[Rows], bool] = lambda rows: True


def median_within(median: float, interval: tuple[float, float] | None) -> str:
    """Format a median with the half width of its interval, to as many digits as that needs: "3.64 ±0.05"."""
    if interval is None:
        return format_ms(median)
    half = (interval[1] - interval[0]) / 2
    digits = 3 if 0.0005 <= half < 0.005 or median < 0.0995 else 2
    return f"{median:.{digits}f} ±{half:.{digits}f}"


def _top1(row: Row) -> str:
    evaluation = row.evaluation
    if evaluation is None:
        return FAILED if any(failure.stage == "evaluate" for failure in row.failures) else NOT_MEASURED
    if evaluation.top1 is None or evaluation.interval is None:
        return f"cosine {evaluation.cosine:.3f} ({evaluation.n})"
    low, high = evaluation.interval
    return f"{100 * evaluation.top1:.1f} ±{50 * (high - low):.1f} ({evaluation.n})"


def _median(row: Row) -> str:
    if row.latency:
        return median_within(row.latency.median_ms, row.latency.interval_ms)
    if row.prediction:
        return predicted_within(row.prediction.predicted_ms, row.prediction.low_ms, row.prediction.high_ms)
    if row.profile:
        return INVALID if row.profile.invalid else EMULATED
    if row.failures and not any(failure.exit_code for failure in row.failures):
        return STOPPED
    return FAILED if row.failures and not _only_accuracy(row) else NOT_MEASURED


def predicted_within(ms: float, low: float, high: float) -> str:
    """Format a predicted latency with its interval: "≈ 3.10 (2.90 to 3.40) predicted"."""
    return f"≈ {format_ms(ms)} ({format_ms(low)} to {format_ms(high)}) predicted"


def _only_accuracy(row: Row) -> bool:
    return all(failure.stage == "evaluate" for failure in row.failures)


def _p90(row: Row) -> str:
    p90 = row.latency.percentile_ms(90) if row.latency else None
    return NONE if p90 is None else format_ms(p90)


def _energy(row: Row) -> str:
    energy = row.latency.energy if row.latency else None
    return NONE if energy is None else f"{median_within(energy['mj'], energy['interval_mj'])} ({energy['source']})"


def _agreement(row: Row) -> str:
    agreement = row.evaluation.agreement if row.evaluation else None
    return NONE if agreement is None else f"{100 * agreement:.1f}"


def _runtime(row: Row) -> str:
    record = row.profile or row.prediction
    return runtimes([record])[0] if record else NONE


def _published(row: Row) -> str:
    return f"{row.published[0]:.1f} {row.published[1]}" if row.published else NONE


def _count(number: int | None) -> str:
    return NONE if number is None else format_count(number)


def _special_targets(rows: Rows) -> bool:
    return any(row.artifact and row.artifact.target not in (None, "generic") for row in rows)


def _many_threads(rows: Rows) -> bool:
    return len({threads(row) for row in rows} - {None}) > 1


def _any_delegate(rows: Rows) -> bool:
    return any(row.profile and row.profile.delegate for row in rows)


def _any_energy(rows: Rows) -> bool:
    return any(row.latency and row.latency.energy for row in rows)


def _any_agreement(rows: Rows) -> bool:
    return any(row.evaluation and row.evaluation.agreement is not None for row in rows)


def _many_runtimes(rows: Rows) -> bool:
    pairs = {(row.profile.format, _runtime(row)) for row in rows if row.profile}
    return len(pairs) > len({format for format, _ in pairs})


# Columns with the same value in all rows are left out; the notes give that value.
FIELDS: Final = (
    Field(Column("variant", words=True), lambda row: row.record.variant),
    Field(Column("format", words=True), lambda row: row.record.format or NONE),
    Field(Column("precision", words=True), lambda row: row.record.precision or NONE),
    Field(
        Column("target", words=True),
        lambda row: (row.artifact.target if row.artifact else None) or NONE,
        _special_targets,
    ),
    Field(Column("runtime", words=True), _runtime, _many_runtimes),
    Field(Column("delegate", words=True), lambda row: delegate(row) or NONE, _any_delegate),
    Field(Column("threads"), lambda row: NONE if threads(row) is None else str(threads(row)), _many_threads),
    Field(Column("MACs"), lambda row: _count(row.artifact.macs if row.artifact else None)),
    Field(Column("params"), lambda row: _count(row.artifact.parameters if row.artifact else None)),
    Field(Column("size"), lambda row: format_bytes(row.artifact.size_bytes) if row.artifact else NONE),
    Field(Column("median ms"), _median),
    Field(Column("p90 ms"), _p90),
    Field(Column("mJ"), _energy, _any_energy),
    Field(Column("top-1 (n)"), _top1),
    Field(Column("published"), _published),
    Field(Column("agreement"), _agreement, _any_agreement),
    Field(Column("Pareto"), lambda row: "*" if row.pareto else ""),
)
