"""Join records into rows of latency and accuracy, and mark the Pareto front.

A Pareto front never spans different machines, thread counts or sets of images.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from mobilenet_edge import schema
from mobilenet_edge.analysis.conditions import unusable
from mobilenet_edge.model.published import lookup
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import ArtifactRecord, Evaluation, Failure, Prediction, Profile, Record
from mobilenet_edge.report.hardware import LOCAL, describe
from mobilenet_edge.report.pareto import Costs, front

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")

FLOAT: Final = ("float32", "float16", "dynamic")
INTEGER: Final = ("int8", "uint8", "mixed")


@dataclass(frozen=True)
class Row:
    """One artifact at one thread count on one machine, or a gap because of a failure.

    Attributes:
        record: Identity of the artifact, or a failure if there is no artifact.
        profile: Latency, or None if it was not measured.
        evaluation: Accuracy, or None if it was not measured.
        prediction: Predicted latency, or None if it was measured or is unknown.
        failures: Reasons why there is no profile, evaluation or artifact.
        place: Machine of a row without a profile, as `machine` describes it.
        repeated: Whether there are further records of the same measurement.
        pareto: Whether no comparable row dominates it in the figures of `Judgement`.
    """

    record: ArtifactRecord | Failure
    profile: Profile | None = None
    evaluation: Evaluation | None = None
    prediction: Prediction | None = None
    failures: tuple[Failure, ...] = ()
    place: str = ""
    repeated: bool = False
    pareto: bool = False

    @property
    def artifact(self) -> ArtifactRecord | None:
        """Identity of the artifact, or None if there is none."""
        return self.record if isinstance(self.record, ArtifactRecord) else None

    @property
    def latency(self) -> Profile | None:
        """Profile with a usable latency, or None; that of a throttled or emulated machine is unusable."""
        return self.profile if self.profile and unusable(self.profile) is None else None

    @property
    def machine(self) -> str:
        """Description of the machine of the latency; empty if unknown."""
        timing = self.profile or self.prediction
        return describe(timing) if timing else self.place

    @property
    def spec(self) -> ModelSpec | None:
        """MobileNet specification, or None; that of a failure comes from its name."""
        if self.artifact is None:
            return ModelSpec.from_name(self.record.variant)
        return schema.from_dict(ModelSpec, self.artifact.spec) if self.artifact.spec else None

    @property
    def published(self) -> tuple[float, str] | None:
        """Published top-1 in percent and its type: "float", or "QAT" for an integer artifact."""
        published = lookup(self.spec) if self.spec else None
        if published is None or self.record.precision not in FLOAT + INTEGER:
            return None
        if self.record.precision not in INTEGER:
            return published.top1, "float"
        return None if published.qat_top1 is None else (published.qat_top1, "QAT")


@dataclass(frozen=True)
class Judgement:
    """Figures of the Pareto front of a group of rows; measured figures are used if any row has them.

    Attributes:
        latency: Whether the cost is the median latency, measured or predicted, rather than the file size.
        measured: Whether the gain is the measured accuracy rather than the published one.
    """

    latency: bool
    measured: bool

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Judgement:
        """Choose the figures for the rows of one machine."""
        return cls(any(row.latency or row.prediction for row in rows), any(row.evaluation for row in rows))

    def costs(self, row: Row) -> Costs | None:
        """Return (cost, -gain) of a row, or None if it lacks one of them."""
        cost, gain = self._cost(row), self._gain(row)
        return None if cost is None or gain is None else (cost, -gain)

    def _cost(self, row: Row) -> float | None:
        if not self.latency:
            return row.artifact.size_bytes if row.artifact else None
        if row.prediction:
            return row.prediction.predicted_ms
        return row.latency.median_ms if row.latency else None

    def _gain(self, row: Row) -> float | None:
        if self.measured:
            return row.evaluation.merit if row.evaluation else None
        return row.published[0] if row.published else None


def join(records: Iterable[Record]) -> list[Row]:
    """Join records by the hash of the artifact, mark the Pareto front, and sort the rows, large models first.

    The latest of several profiles under the same conditions is used, and the evaluation on the most images. The last
    prediction is used if there is no profile. A failure is dropped if the same measurement also succeeded.
    """
    records = list(records)
    profiles = grouped((record for record in records if isinstance(record, Profile)), _conditions)
    evaluations = grouped(
        (record for record in records if isinstance(record, Evaluation)), lambda record: record.sha256
    )
    profiled = {profile.sha256 for group in profiles.values() for profile in group}
    rows = [_row(group, evaluations.get(group[0].sha256, [])) for group in profiles.values()]
    predictions = {_place_of(record): record for record in records if isinstance(record, Prediction)}
    measured = {_place_of(profile) for group in profiles.values() for profile in group}
    predicted = [prediction for place, prediction in predictions.items() if place not in measured]
    rows += [_predicted_row(prediction, evaluations.get(prediction.sha256, [])) for prediction in predicted]
    profiled |= {prediction.sha256 for prediction in predicted}
    rows += [_row([], group) for sha256, group in evaluations.items() if sha256 not in profiled]
    for failure in dict.fromkeys(record for record in records if isinstance(record, Failure)):
        rows = _with_failure(rows, failure)
    return sorted((row for group in by_machine(rows).values() for row in _mark(group)), key=_order)


def by_machine(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Group rows by machine; rows without a latency join the machine if there is only one."""
    groups = grouped(rows, lambda row: row.machine)
    untimed = groups.pop("", [])
    if len(groups) == 1:
        return {machine: list(rows) for machine in groups}
    return {**groups, "": untimed} if untimed else groups


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """Group items by a key, in order of appearance."""
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _conditions(profile: Profile) -> tuple[Hashable, ...]:
    delegate = str(profile.delegate["path"]) if profile.delegate else None
    return profile.sha256, describe(profile), profile.threads, profile.runtime, profile.runtime_version, delegate


def _row(profiles: Sequence[Profile], evaluations: Sequence[Evaluation]) -> Row:
    profile = max(profiles, key=lambda profile: str(profile.conditions.get("started", "")), default=None)
    evaluation = max(reversed(evaluations), key=lambda evaluation: evaluation.n, default=None)
    return Row(profile or evaluations[-1], profile, evaluation, repeated=len(profiles) > 1 or len(evaluations) > 1)


def _place_of(timing: Profile | Prediction) -> Hashable:
    return timing.sha256, describe(timing), timing.threads


def _predicted_row(prediction: Prediction, evaluations: Sequence[Evaluation]) -> Row:
    row = _row([], evaluations) if evaluations else Row(prediction)
    return replace(row, record=prediction, prediction=prediction)


def _with_failure(rows: Sequence[Row], failure: Failure) -> list[Row]:
    """Add a failure as a row, or to the rows of its artifact; drop it if the measurement also succeeded."""
    matching = [row for row in rows if _is_of(failure, row)]
    if failure.stage == "profile":
        return (
            list(rows) if any(_is_at(failure, row.profile) for row in matching) else _with_gap(rows, matching, failure)
        )
    if not matching:
        return [*rows, Row(failure, failures=(failure,))]
    gaps = [row for row in matching if row.evaluation is None] if failure.stage == "evaluate" else []
    return [replace(row, failures=(*row.failures, failure)) if row in gaps else row for row in rows]


def _with_gap(rows: Sequence[Row], matching: Sequence[Row], failure: Failure) -> list[Row]:
    """Add a row without a profile, with the identity and accuracy of a matching row; replace an untimed one."""
    gap = Row(failure, failures=(failure,), place=_place(rows, failure))
    source = next((row for row in matching if row.artifact), None)
    if source is None:
        return [*rows, gap]
    gap = replace(gap, record=source.record, evaluation=source.evaluation)
    return [*(row for row in rows if row is not source or row.machine or row.failures), gap]


def _is_of(failure: Failure, row: Row) -> bool:
    """Return whether a row is of the failed artifact; if a build failed, all files of the model are."""
    record = row.record
    pairs = ((failure.format, record.format), (failure.precision, record.precision))
    return failure.variant == record.variant and all(expected in (None, actual) for expected, actual in pairs)


def _is_at(failure: Failure, profile: Profile | None) -> bool:
    if profile is None or (failure.threads, failure.host) != (profile.threads, profile.host.get("name")):
        return False
    return failure.runtime in (None, profile.runtime)


def _place(rows: Sequence[Row], failure: Failure) -> str:
    """Return the machine of a failure, as other rows describe it, else its name."""
    machines = {row.machine for row in rows if row.profile and row.profile.host.get("name") == failure.host}
    if len(machines) == 1:
        return machines.pop()
    return failure.host if failure.host and failure.host != LOCAL else ""


def _order(row: Row) -> tuple[Hashable, ...]:
    record, spec, timing = row.record, row.spec, row.profile or row.prediction
    size = (-spec.alpha, -spec.resolution) if spec else (0, 0)
    run = (timing.threads, timing.runtime, timing.runtime_version) if timing else (_threads(row) or 0, "", "")
    # Gaps come after the rows with the same name.
    file = (0, row.artifact.sha256) if row.artifact else (1, "")
    return *size, record.variant, record.format or "", record.precision or "", file, timing is None, run


def _threads(row: Row) -> int | None:
    return next((failure.threads for failure in row.failures), None)


def _mark(rows: Sequence[Row]) -> list[Row]:
    """Mark the rows of one machine that are on a Pareto front."""
    judgement = Judgement.of(rows)
    marked = []
    for group in grouped(rows, _comparable).values():
        costs = [judgement.costs(row) for row in group]
        best = iter(front([price for price in costs if price is not None]))
        marked += [replace(row, pareto=cost is not None and next(best)) for row, cost in zip(group, costs, strict=True)]
    return marked


def _comparable(row: Row) -> Hashable:
    images = (row.evaluation.data, row.evaluation.n) if row.evaluation else None
    timing = row.latency or row.prediction
    return timing.threads if timing else None, images
