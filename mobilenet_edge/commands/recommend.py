"""`mnet recommend`: which of the measured artifacts to take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mobilenet_edge.analysis.choice import Limits, Point, Recommendation
from mobilenet_edge.analysis.choice import recommend as choose
from mobilenet_edge.commands import sources
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.records import Evaluation, Profile, Record
from mobilenet_edge.report import recommendation
from mobilenet_edge.report.columns import delegate, threads
from mobilenet_edge.report.rows import Judgement, Row, grouped, join

__all__ = ["FORMATS", "Advice", "Limits", "run"]

FORMATS: Final[Mapping[str, Callable[[Recommendation, Sequence[str]], str]]] = {
    "text": recommendation.text,
    "json": recommendation.json,
}


@dataclass(frozen=True)
class Advice:
    """A recommendation, and what it rests on.

    Attributes:
        found: What to take.
        notes: On which machine, by which accuracy, and what was left out; a sentence each.
    """

    found: Recommendation
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """1 where nothing fits, which is a result."""
        return 0 if self.found.pick else 1


def run(paths: Sequence[Path], limits: Limits, device: str | None = None) -> Advice:
    """Choose among the artifacts whose latency was measured or predicted on one machine.

    Args:
        paths: Files that `--json` wrote, and folders of such files.
        limits: What the choice must keep to.
        device: Name of the machine, or a part of its description; needed where there are several.

    Raises:
        InputError: A file cannot be read or holds something else, or there is nothing to choose from; or accuracy was
            measured on different images.
        UsageError: There are several machines, or there is none of that name.
    """
    places = ", ".join(str(path) for path in paths)
    timed = [row for row in join(sources.read(paths)) if row.latency or row.prediction]
    if not timed:
        raise InputError(f"no latency that can be used in {places}; make some with: mnet profile ARTIFACT --json FILE")
    machine, rows = _of_device(timed, device)
    measured = Judgement.of(rows).measured
    points = [point for row in rows if (point := _point(row, measured, _varied(rows)))]
    if not points:
        lack = _other_content(sources.read(paths))
        raise InputError(
            lack
            or f"no top-1 in {places}, nor published ones; measure it: mnet evaluate ARTIFACT --data DIR --json FILE"
        )
    notes = (f"Machine: {machine}.", *_notes(rows, measured))
    return Advice(choose(points, limits), notes)


def _other_content(records: Iterable[Record]) -> str:
    """Say which file was profiled and evaluated with different contents; empty where none was."""
    digests: dict[str, dict[type[Record], str]] = {}
    for record in records:
        if isinstance(record, Profile | Evaluation):
            digests.setdefault(record.artifact, {})[type(record)] = record.sha256
    for name, found in digests.items():
        if len(set(found.values())) > 1:
            return (
                f"{name} was profiled as {found[Profile][:8]} and evaluated as {found[Evaluation][:8]}: the same name, "
                "other contents; measure one of them again"
            )
    return ""


def _of_device(rows: Sequence[Row], device: str | None) -> tuple[str, list[Row]]:
    """Keep the rows of one machine: that of the name, else the one whose description holds it."""
    machines = grouped(rows, lambda row: row.machine)
    fitting = list(machines)
    if device is not None:
        named = [machine for machine, same in machines.items() if device == _name(same)]
        fitting = named or [machine for machine in machines if device.lower() in machine.lower()]
    if len(fitting) == 1:
        return fitting[0], machines[fitting[0]]
    known = "; ".join(f"{_name(machines[machine])} ({machine})" for machine in fitting or machines)
    if not fitting:
        raise UsageError(f"no latency of --device {device!r}; there is: {known}")
    raise UsageError(f"latencies of {len(fitting)} machines: choose one with --device: {known}")


def _name(rows: Sequence[Row]) -> str:
    known = rows[0].profile or rows[0].prediction
    return str(known.host.get("name", "unnamed")) if known else ""


def _varied(rows: Sequence[Row]) -> bool:
    """Whether the threads must be told."""
    return len({threads(row) for row in rows}) > 1


def _point(row: Row, measured: bool, varied: bool) -> Point | None:
    """Return what is known of a row; None where its accuracy is not."""
    top1 = _top1(row, measured)
    known, artifact = row.latency or row.prediction, row.artifact
    if top1 is None or known is None or artifact is None:
        return None
    count = f"with {known.threads} thread{'s' * (known.threads > 1)}" if varied else None
    name = (artifact.variant, artifact.precision, artifact.format, count, delegate(row))
    measurement = known if isinstance(known, Profile) else None
    return Point(
        name=" ".join(each for each in name if each),
        artifact=artifact.artifact,
        latency_ms=known.median_ms if isinstance(known, Profile) else known.predicted_ms,
        top1=top1,
        measure=row.evaluation.measure if measured and row.evaluation else "top-1",
        size_bytes=artifact.size_bytes,
        memory_bytes=measurement.peak_rss_bytes if measurement else None,
        interval_ms=known.interval_ms,
        predicted=measurement is None,
        doubts=measurement.doubts if measurement else (),
    )


def _top1(row: Row, measured: bool) -> float | None:
    """In percent; nine digits lose the noise of times 100."""
    if measured:
        merit = row.evaluation.merit if row.evaluation else None
        return None if merit is None else round(100 * merit, 9)
    return row.published[0] if row.published else None


def _notes(rows: Sequence[Row], measured: bool) -> Iterator[str]:
    """Say which accuracy counted, and what has none."""
    if measured:
        yield from _measured([row.evaluation for row in rows if row.evaluation])
    else:
        yield "Top-1 is published (TF-slim), as none was measured: of other files, to be measured with mnet evaluate."
        if any(row.published and row.published[1] == "QAT" for row in rows):
            yield "That of int8 is after quantisation-aware training, which post-training int8 seldom reaches."
    without = sum(_top1(row, measured) is None for row in rows)
    if without:
        yield f"{without} of {len(rows)} rows have no such top-1 and were passed over."


def _measured(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    sets = dict.fromkeys((evaluation.data, evaluation.n) for evaluation in evaluations)
    names = " and ".join(f"{n} images of {data}" for data, n in sets)
    if len({data for data, _ in sets}) > 1:
        raise InputError(f"top-1 was measured on different images ({names}); give records of one set")
    if len(measures := {evaluation.measure for evaluation in evaluations}) > 1:
        raise InputError(f"{' and '.join(sorted(measures))} cannot be compared; give records of one kind of model")
    measure = "Top-1" if measures == {"top-1"} else f"Not top-1 but {measures.pop()}"
    ends = [evaluation.interval for evaluation in evaluations if evaluation.interval is not None]
    widest = f": known to ±{50 * max(high - low for low, high in ends):.1f} points" if measure == "Top-1" else ""
    yield f"{measure} was measured on {names}{widest}."
