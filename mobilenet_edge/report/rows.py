"""Records joined into rows: an artifact's latency beside its accuracy, and the rows that no other beats.

Like is compared with like: a Pareto front never spans two machines, two thread counts or two sets of images.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from mobilenet_edge.published import lookup
from mobilenet_edge.records import Evaluation, Profile, Record
from mobilenet_edge.report.machine import describe
from mobilenet_edge.report.pareto import Costs, front
from mobilenet_edge.spec import ModelSpec

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")

FLOAT: Final = ("float32", "float16", "dynamic")
INTEGER: Final = ("int8", "uint8")


@dataclass(frozen=True)
class Row:
    """One artifact at one thread count on one machine.

    Attributes:
        record: Identity of the artifact.
        profile: Its latency, None where it was not measured.
        evaluation: Its accuracy, None where it was not measured.
        repeated: Whether there were more records of the same thing, which this row leaves out.
        pareto: Whether no row measured under the same conditions beats it; `Judgement` says in what.
    """

    record: Record
    profile: Profile | None
    evaluation: Evaluation | None
    repeated: bool = False
    pareto: bool = False

    @property
    def machine(self) -> str:
        """What the latency was measured on, empty where it was not measured."""
        return describe(self.profile) if self.profile else ""

    @property
    def published(self) -> tuple[float, str] | None:
        """Published top-1 in percent and its kind: "float", or "QAT" for an integer artifact."""
        known = lookup(ModelSpec(**self.record.spec)) if self.record.spec else None
        if known is None or self.record.precision not in FLOAT + INTEGER:
            return None
        return (known.qat_top1, "QAT") if self.record.precision in INTEGER else (known.top1, "float")


@dataclass(frozen=True)
class Judgement:
    """What the Pareto mark weighs in a group of rows: whatever was measured, as soon as one row has it.

    Attributes:
        latency: Median latency is the cost, else file size.
        measured: Measured top-1 is the gain, else the published one.
    """

    latency: bool
    measured: bool

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Judgement:
        """Choose for the rows of one machine."""
        return cls(any(row.profile for row in rows), any(row.evaluation for row in rows))

    def costs(self, row: Row) -> Costs | None:
        """Return (cost, -gain) of a row; None where it was not measured in them."""
        cost, gain = self._cost(row), self._gain(row)
        return None if cost is None or gain is None else (cost, -gain)

    def _cost(self, row: Row) -> float | None:
        if not self.latency:
            return row.record.size_bytes
        return row.profile.median_ms if row.profile else None

    def _gain(self, row: Row) -> float | None:
        if self.measured:
            return row.evaluation.top1 if row.evaluation else None
        return row.published[0] if row.published else None


def join(records: Iterable[Record]) -> list[Row]:
    """Join profiles and evaluations by the artifact's hash, mark the Pareto front, and sort, large models first.

    Of several profiles under the same conditions the latest counts; of several evaluations, the one on the most images.
    """
    records = list(records)
    profiles = grouped((each for each in records if isinstance(each, Profile)), _conditions)
    evaluations = grouped((each for each in records if isinstance(each, Evaluation)), lambda each: each.sha256)
    profiled = {profile.sha256 for same in profiles.values() for profile in same}
    rows = [_row(same, evaluations.get(same[0].sha256, [])) for same in profiles.values()]
    rows += [_row([], same) for sha, same in evaluations.items() if sha not in profiled]
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


def _order(row: Row) -> tuple[Hashable, ...]:
    record = row.record
    spec: Mapping[str, float] = record.spec or {"alpha": 0, "resolution": 0}
    profile = row.profile
    run = (profile.threads, profile.runtime, profile.runtime_version) if profile else ()
    return -spec["alpha"], -spec["resolution"], record.variant, record.format, record.precision, record.sha256, run


def _marked(rows: Sequence[Row]) -> list[Row]:
    """Mark the rows of one machine."""
    judgement = Judgement.of(rows)
    marked = []
    for alike in grouped(rows, _comparable).values():
        costs = [judgement.costs(row) for row in alike]
        best = iter(front([each for each in costs if each is not None]))
        marked += [replace(row, pareto=cost is not None and next(best)) for row, cost in zip(alike, costs, strict=True)]
    return marked


def _comparable(row: Row) -> Hashable:
    images = (row.evaluation.data, row.evaluation.n) if row.evaluation else None
    return row.profile.threads if row.profile else None, images
