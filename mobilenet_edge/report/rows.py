"""Records joined into rows: an artifact's latency beside its accuracy, and the rows that no other beats.

Like is compared with like: a Pareto front never spans two machines, two thread counts or two sets of images.
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
INTEGER: Final = ("int8", "uint8")


@dataclass(frozen=True)
class Row:
    """One artifact at one thread count on one machine, or the gap where it should be.

    Attributes:
        record: Identity of the artifact; a failure where no artifact is known.
        profile: Its latency, None where it was not measured.
        evaluation: Its accuracy, None where it was not measured.
        prediction: What its latency is expected to be, None where it was measured or is not known.
        failures: Why there is no profile, no evaluation, or no artifact.
        place: Machine of a row without a profile, as `machine` names it.
        repeated: Whether there were more records of the same thing, which this row leaves out.
        pareto: Whether no row measured under the same conditions beats it; `Judgement` says in what.
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
        """Identity of the artifact, None where there is none."""
        return self.record if isinstance(self.record, ArtifactRecord) else None

    @property
    def latency(self) -> Profile | None:
        """The profile, where its latency may be used: not of a throttled machine, not of an emulated one."""
        return self.profile if self.profile and unusable(self.profile) is None else None

    @property
    def machine(self) -> str:
        """What the latency was measured on or predicted for, empty where it is not known."""
        known = self.profile or self.prediction
        return describe(known) if known else self.place

    @property
    def spec(self) -> ModelSpec | None:
        """The MobileNet of the paper; of a failure, as its name says."""
        if self.artifact is None:
            return ModelSpec.from_name(self.record.variant)
        return schema.from_dict(ModelSpec, self.artifact.spec) if self.artifact.spec else None

    @property
    def published(self) -> tuple[float, str] | None:
        """Published top-1 in percent and its kind: "float", or "QAT" for an integer artifact."""
        known = lookup(self.spec) if self.spec else None
        if known is None or self.record.precision not in FLOAT + INTEGER:
            return None
        if self.record.precision not in INTEGER:
            return known.top1, "float"
        return None if known.qat_top1 is None else (known.qat_top1, "QAT")


@dataclass(frozen=True)
class Judgement:
    """What the Pareto mark weighs in a group of rows: whatever was measured, as soon as one row has it.

    Attributes:
        latency: Median latency, measured or predicted, is the cost, else file size.
        measured: Measured top-1 is the gain, else the published one.
    """

    latency: bool
    measured: bool

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Judgement:
        """Choose for the rows of one machine."""
        return cls(any(row.latency or row.prediction for row in rows), any(row.evaluation for row in rows))

    def costs(self, row: Row) -> Costs | None:
        """Return (cost, -gain) of a row; None where it was not measured in them."""
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
    """Join profiles and evaluations by the artifact's hash, mark the Pareto front, and sort, large models first.

    Of several profiles under the same conditions the latest counts; of several evaluations, the one on the most images.
    A prediction counts where there is no profile, and of several the last. A failure counts where what failed was not
    measured all the same.
    """
    records = list(records)
    profiles = grouped((record for record in records if isinstance(record, Profile)), _conditions)
    evaluations = grouped((record for record in records if isinstance(record, Evaluation)), lambda each: each.sha256)
    profiled = {profile.sha256 for same in profiles.values() for profile in same}
    rows = [_row(same, evaluations.get(same[0].sha256, [])) for same in profiles.values()]
    predictions = {_place_of(record): record for record in records if isinstance(record, Prediction)}
    measured = {_place_of(profile) for same in profiles.values() for profile in same}
    expected = [each for place, each in predictions.items() if place not in measured]
    rows += [_expected(each, evaluations.get(each.sha256, [])) for each in expected]
    profiled |= {each.sha256 for each in expected}
    rows += [_row([], same) for sha, same in evaluations.items() if sha not in profiled]
    for failure in dict.fromkeys(record for record in records if isinstance(record, Failure)):
        rows = _with_failure(rows, failure)
    return sorted((row for group in by_machine(rows).values() for row in _marked(group)), key=_order)


def by_machine(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Split rows by the machine they were measured on; rows without a latency join the machine if there is but one."""
    groups = grouped(rows, lambda row: row.machine)
    idle = groups.pop("", [])
    if len(groups) == 1:
        return {machine: list(rows) for machine in groups}
    return {**groups, "": idle} if idle else groups


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """Group items by a key, both in order of appearance."""
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _conditions(profile: Profile) -> tuple[Hashable, ...]:
    return profile.sha256, describe(profile), profile.threads, profile.runtime, profile.runtime_version


def _row(profiles: Sequence[Profile], evaluations: Sequence[Evaluation]) -> Row:
    profile = max(profiles, key=lambda each: str(each.conditions.get("started", "")), default=None)
    evaluation = max(reversed(evaluations), key=lambda each: each.n, default=None)
    return Row(profile or evaluations[-1], profile, evaluation, repeated=len(profiles) > 1 or len(evaluations) > 1)


def _place_of(known: Profile | Prediction) -> Hashable:
    return known.sha256, describe(known), known.threads


def _expected(prediction: Prediction, evaluations: Sequence[Evaluation]) -> Row:
    row = _row([], evaluations) if evaluations else Row(prediction)
    return replace(row, record=prediction, prediction=prediction)


def _with_failure(rows: Sequence[Row], failure: Failure) -> list[Row]:
    """Add a failure as a row, or to the rows it belongs to; leave it out where it was made good."""
    own = [row for row in rows if _is_of(failure, row)]
    if failure.stage == "profile":
        return list(rows) if any(_is_at(failure, row.profile) for row in own) else _with_gap(rows, own, failure)
    if not own:
        return [*rows, Row(failure, failures=(failure,))]
    gaps = [row for row in own if row.evaluation is None] if failure.stage == "evaluate" else []
    return [replace(row, failures=(*row.failures, failure)) if row in gaps else row for row in rows]


def _with_gap(rows: Sequence[Row], own: Sequence[Row], failure: Failure) -> list[Row]:
    """Add a row without a profile, with what others know of the artifact; it stands for one that was only evaluated."""
    gap = Row(failure, failures=(failure,), place=_place(rows, failure))
    lender = next((row for row in own if row.artifact), None)
    if lender is None:
        return [*rows, gap]
    gap = replace(gap, record=lender.record, evaluation=lender.evaluation)
    return [*(row for row in rows if row is not lender or row.machine or row.failures), gap]


def _is_of(failure: Failure, row: Row) -> bool:
    """Whether a row is of what failed; where a model could not be built, all of its files are."""
    record = row.record
    pairs = ((failure.format, record.format), (failure.precision, record.precision))
    return failure.variant == record.variant and all(failed in (None, other) for failed, other in pairs)


def _is_at(failure: Failure, profile: Profile | None) -> bool:
    return profile is not None and (failure.threads, failure.host) == (profile.threads, profile.host.get("name"))


def _place(rows: Sequence[Row], failure: Failure) -> str:
    """Name the machine on which something failed: as its other rows do, else by its own name."""
    known = {row.machine for row in rows if row.profile and row.profile.host.get("name") == failure.host}
    if len(known) == 1:
        return known.pop()
    return failure.host if failure.host and failure.host != LOCAL else ""


def _order(row: Row) -> tuple[Hashable, ...]:
    record, spec, known = row.record, row.spec, row.profile or row.prediction
    size = (-spec.alpha, -spec.resolution) if spec else (0, 0)
    run = (known.threads, known.runtime, known.runtime_version) if known else (_threads(row) or 0, "", "")
    # Gaps come after what there is of the same name.
    file = (0, row.artifact.sha256) if row.artifact else (1, "")
    return *size, record.variant, record.format or "", record.precision or "", file, known is None, run


def _threads(row: Row) -> int | None:
    return next((failure.threads for failure in row.failures), None)


def _marked(rows: Sequence[Row]) -> list[Row]:
    """Mark the rows of one machine."""
    judgement = Judgement.of(rows)
    marked = []
    for alike in grouped(rows, _comparable).values():
        costs = [judgement.costs(row) for row in alike]
        best = iter(front([price for price in costs if price is not None]))
        marked += [replace(row, pareto=cost is not None and next(best)) for row, cost in zip(alike, costs, strict=True)]
    return marked


def _comparable(row: Row) -> Hashable:
    images = (row.evaluation.data, row.evaluation.n) if row.evaluation else None
    known = row.latency or row.prediction
    return known.threads if known else None, images
