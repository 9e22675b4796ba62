"""`mnet recommend`: recommend one of the measured artifacts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mobilenet_edge.analysis.choice import Limits, Point, Recommendation
from mobilenet_edge.analysis.choice import recommend as choose
from mobilenet_edge.analysis.evidence import Answers
from mobilenet_edge.commands import sources
from mobilenet_edge.conversion.micro import boards
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.records import Evaluation, Profile, Record
from mobilenet_edge.report import accuracy, onboard
from mobilenet_edge.report.columns import delegate, threads
from mobilenet_edge.report.rows import Judgement, Row, grouped, join

__all__ = ["Advice", "Limits", "run"]

RANDOM: Final = "random"


@dataclass(frozen=True)
class Advice:
    """Recommendation with its basis.

    Attributes:
        recommendation: Recommended artifact.
        notes: Sentences about the machine, the accuracy and the rows that were left out.
    """

    recommendation: Recommendation
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0, or 1 if no artifact meets the limits."""
        return 0 if self.recommendation.pick else 1


def run(paths: Sequence[Path], limits: Limits, device: str | None = None, board: str | None = None) -> Advice:
    """Recommend one of the artifacts with a measured or predicted latency on one machine.

    Args:
        paths: Files written by `--json`, and folders of them.
        limits: Limits of the choice.
        device: Name of the machine, or a part of its description; required if there are several machines.
        board: A key of `boards.BOARDS` that the files must fit.

    Raises:
        InputError: A file cannot be read or holds no records, there is no artifact with latency and accuracy, or
            accuracy was measured on different images, or it is not known what the files take on the board.
        MnetError: None fits the board.
        UsageError: There are several machines, or none with that name, or no such board.
    """
    return advise(sources.read(paths), limits, device, ", ".join(str(path) for path in paths), board)


def advise(
    records: Sequence[Record],
    limits: Limits,
    device: str | None = None,
    places: str = "the records",
    board: str | None = None,
) -> Advice:
    """Choose as `run` does, from records in memory; `places` names them in messages."""
    timed = [row for row in join(records) if row.latency or row.prediction]
    if not timed:
        raise InputError(f"no usable latency in {places}; measure it with: mnet profile ARTIFACT --json FILE")
    machine, rows = _select_machine(timed, device)
    rows, fits = (rows, ()) if board is None else onboard.keep(rows, records, boards.find(board))
    measured = Judgement.of([row for row in rows if not _random(row)]).measured
    points = [point for row in rows if (point := _point(row, measured, _varied(rows)))]
    known = [point for point in points if point.top1 is not None]
    if not known and not any(map(_random, rows)):
        raise InputError(
            _content_mismatch(records)
            or f"no top-1 in {places}, and none is published; measure it with: "
            "mnet evaluate ARTIFACT --data DIR --json FILE"
        )
    notes = (*fits, f"Machine: {machine}.", *_notes(rows, measured))
    return Advice(choose(known or points, limits), notes)


def _content_mismatch(records: Iterable[Record]) -> str:
    """Return a message about a file that changed between profile and evaluation; empty if there is none."""
    digests: dict[str, dict[type[Record], str]] = {}
    for record in records:
        if isinstance(record, Profile | Evaluation):
            digests.setdefault(record.artifact, {})[type(record)] = record.sha256
    for name, by_type in digests.items():
        if len(set(by_type.values())) > 1:
            return (
                f"{name} changed between its profile ({by_type[Profile][:8]}) and its evaluation "
                f"({by_type[Evaluation][:8]}); profile or evaluate it again"
            )
    return ""


def _select_machine(rows: Sequence[Row], device: str | None) -> tuple[str, list[Row]]:
    """Return the description and the rows of the machine with a name, or with a description that contains it."""
    machines = grouped(rows, lambda row: row.machine)
    fitting = list(machines)
    if device is not None:
        named = [machine for machine, group in machines.items() if device == _name(group)]
        fitting = named or [machine for machine in machines if device.lower() in machine.lower()]
    if len(fitting) == 1:
        return fitting[0], machines[fitting[0]]
    known = "; ".join(f"{_name(machines[machine])} ({machine})" for machine in fitting or machines)
    if not fitting:
        raise UsageError(f"no latency for --device {device!r}; known: {known}")
    raise UsageError(f"latencies of {len(fitting)} machines; choose one with --device: {known}")


def _name(rows: Sequence[Row]) -> str:
    record = rows[0].profile or rows[0].prediction
    return str(record.host.get("name", "unnamed")) if record else ""


def _varied(rows: Sequence[Row]) -> bool:
    """Return whether the rows differ in their threads, so that names must include them."""
    return len({threads(row) for row in rows}) > 1


def _random(row: Row) -> bool:
    """Return whether the weights are random: neither a measured nor a published accuracy is that of a trained model."""
    return row.artifact is not None and row.artifact.weights == RANDOM


def _point(row: Row, measured: bool, varied: bool) -> Point | None:
    record, artifact = row.latency or row.prediction, row.artifact
    if record is None or artifact is None:
        return None
    count = f"with {record.threads} thread{'s' * (record.threads > 1)}" if varied else None
    parts = (artifact.variant, artifact.precision, artifact.format, count, delegate(row))
    profile = record if isinstance(record, Profile) else None
    return Point(
        name=" ".join(part for part in parts if part),
        artifact=artifact.artifact,
        latency_ms=record.median_ms if isinstance(record, Profile) else record.predicted_ms,
        top1=_top1(row, measured),
        answers=_answers(row.evaluation) if measured and row.evaluation else None,
        measure=row.evaluation.measure if measured and row.evaluation else "top-1",
        size_bytes=artifact.size_bytes,
        memory_bytes=profile.peak_rss_bytes if profile else None,
        interval_ms=record.interval_ms,
        predicted=profile is None,
        doubts=profile.doubts if profile else (),
    )


def _top1(row: Row, measured: bool) -> float | None:
    """Return the accuracy in percent; rounding removes the error of multiplying by 100."""
    if _random(row):
        return None
    if measured:
        merit = row.evaluation.merit if row.evaluation else None
        return None if merit is None else round(100 * merit, 9)
    return row.published[0] if row.published else None


def _answers(evaluation: Evaluation) -> Answers | None:
    """Return the answers that top-1 is of; other metrics have no interval."""
    if evaluation.measure != "top-1" or evaluation.top1 is None or evaluation.interval is None:
        return None
    return Answers(evaluation.top1, evaluation.n, evaluation.interval, evaluation.pictures, evaluation.right)


def _notes(rows: Sequence[Row], measured: bool) -> Iterator[str]:
    """Describe which accuracy was used, and how many rows have none."""
    random = sum(map(_random, rows))
    if random:
        yield (
            f"{random} of {len(rows)} rows have random weights, and so no accuracy; train them with mnet train, or "
            "give trained ones with --weights."
        )
    rows = [row for row in rows if not _random(row)]
    if measured:
        yield from _accuracy_notes([row.evaluation for row in rows if row.evaluation])
    elif rows:
        yield "Top-1 is the published figure (TF-slim), not that of these files; measure theirs with mnet evaluate."
        precisions = {row.record.precision or "" for row in rows if row.published and row.published[1] == "QAT"}
        if precisions:
            names = " and ".join(sorted(precisions))
            yield f"For {names} it is that of quantisation-aware training, which post-training int8 rarely reaches."
    without = sum(_top1(row, measured) is None for row in rows)
    if without:
        yield f"{without} of {len(rows)} rows have no such top-1 and were skipped."


def _accuracy_notes(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    sets = dict.fromkeys((evaluation.data, evaluation.n) for evaluation in evaluations)
    names = " and ".join(dict.fromkeys(map(accuracy.scored_on, evaluations)))
    if len({data for data, _ in sets}) > 1:
        raise InputError(f"accuracy was measured on different images ({names}); give the records of one set")
    if len(measures := {evaluation.measure for evaluation in evaluations}) > 1:
        raise InputError(f"{' and '.join(sorted(measures))} cannot be compared; give the records of one type of model")
    measure = "Top-1" if measures == {"top-1"} else f"{measures.pop()} (instead of top-1)"
    ends = [evaluation.interval for evaluation in evaluations if evaluation.interval is not None]
    widest = (
        f", with intervals of up to ±{50 * max(high - low for low, high in ends):.1f} points"
        if measure == "Top-1"
        else ""
    )
    yield f"{measure} was measured on {names}{widest}."
    if measure != "Top-1":
        yield "It has no interval here, so differences of it are taken as they are."
    yield from (f"{fact}." for fact in accuracy.seen(evaluations))
