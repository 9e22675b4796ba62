"""Budgets against figures: a verdict for each budget, artifact and limit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mobilenet_edge import schema
from mobilenet_edge.budget.baseline import Baseline
from mobilenet_edge.budget.budgets import Budget, Budgets
from mobilenet_edge.budget.limit import Limit, Metric
from mobilenet_edge.budget.subject import FITTED, Run, Subject

_RENEW: Final = "if that is meant, make the baseline anew: mnet check --format json --out FILE"


class Outcome(StrEnum):
    """Of a verdict; failed and missing fail the check."""

    failed = "failed"
    missing = "missing"
    not_applicable = "not-applicable"
    passed = "passed"


@dataclass(frozen=True)
class Verdict:
    """What one limit means for one artifact.

    Attributes:
        index: Place of the budget in its file, from 0.
        budget: Its title.
        outcome: Whether the limit holds.
        subject: The artifact, None of a budget that matches none.
        limit: None likewise.
        bound: The limit as a figure, None where a baseline lacks it.
        actual: The figure, None where it is not known.
        before: The baseline's figure, None without one.
        reason: Why it is not passed, or what the figure is of; may be empty.
    """

    index: int
    budget: str
    outcome: Outcome
    subject: Subject | None = None
    limit: Limit | None = None
    bound: float | None = None
    actual: float | None = None
    before: float | None = None
    reason: str = ""

    @property
    def bad(self) -> bool:
        """Whether it fails the check."""
        return self.outcome in (Outcome.failed, Outcome.missing)

    @property
    def change(self) -> float | None:
        """How far the figure is from the baseline's, as a share of it; of a share the difference. None if unknown."""
        if self.limit is None or self.actual is None or self.before is None:
            return None
        if self.limit.metric.kind == "share":
            return self.actual - self.before
        return self.actual / self.before - 1 if self.before else None


@dataclass(frozen=True)
class _Figure:
    """A figure, or why there is none; `applies` tells whether there should be one."""

    value: float | None
    why: str = ""
    applies: bool = True


def judge(
    budgets: Budgets,
    subjects: Sequence[Subject],
    baseline: Baseline | None = None,
    only: Collection[str] = (),
    expected: Callable[[Subject], bool] = lambda _: False,
) -> list[Verdict]:
    """Compare every artifact with every budget that it matches.

    Args:
        budgets: The file.
        subjects: The artifacts.
        baseline: What relative limits are relative to.
        only: Keys of the metrics to look at; all where there are none.
        expected: Whether an artifact of the baseline should be among those checked.

    Returns:
        In the order of the file. A budget that matches no artifact has one verdict: missing. So has an artifact of the
        baseline that a budget matched, and that is gone or has become something which it does not match.
    """
    known = [] if baseline is None else [each for each in baseline.subjects if expected(each)]
    today = {} if baseline is None else {id(baseline.find(each)): each for each in subjects}
    found: list[Verdict] = []
    for index, budget in enumerate(budgets.budgets):
        limits = [each for each in budget.limits if not only or each.metric.key in only]
        if not limits:
            continue
        own = [each for each in subjects if _matches(budget, each)]
        if not own:
            why = f"it matches none of {len(subjects)} artifacts: check its patterns, and that the files were made"
            found.append(Verdict(index, budget.title, Outcome.missing, reason=why))
        found += [_verdict(index, budget, limit, each, baseline) for each in own for limit in limits]
        for old in known:
            now = today.get(id(old))
            if baseline is not None and _matches(budget, old) and (now is None or not _matches(budget, now)):
                became = _change(old, now) or f" as {old.artifact}"
                why = f"{baseline.source} has it{became}; {_RENEW}"
                found.append(Verdict(index, budget.title, Outcome.missing, now or old, reason=why))
    return found


def _change(old: Subject, now: Subject | None) -> str:
    """Say what became of an artifact; empty where it is what it was."""
    if now is None:
        return ", and it is gone"
    was, became = (" ".join(filter(None, (each.variant, each.precision, each.format))) for each in (old, now))
    return f" as {was}, and it is {became} now" if was != became else ""


def unmatched(budgets: Budgets, subjects: Sequence[Subject]) -> Iterator[Subject]:
    """List the artifacts that no budget matches."""
    return (each for each in subjects if not any(_matches(budget, each) for budget in budgets.budgets))


def _matches(budget: Budget, subject: Subject) -> bool:
    return budget.matches(
        subject.artifact,
        variant=subject.variant,
        format=subject.format,
        precision=subject.precision,
        target=subject.target,
    )


def _verdict(index: int, budget: Budget, limit: Limit, subject: Subject, baseline: Baseline | None) -> Verdict:
    figure = _figure(subject, limit.metric, budget)
    old = baseline.find(subject) if baseline else None
    before = _figure(old, limit.metric, budget).value if old else None

    def verdict(outcome: Outcome, bound: float | None = None, reason: str = figure.why) -> Verdict:
        return Verdict(index, budget.title, outcome, subject, limit, bound, figure.value, before, reason)

    if figure.value is None:
        return verdict(Outcome.missing if figure.applies else Outcome.not_applicable)
    if limit.relative and before is None:
        if baseline is not None and old is None:
            return verdict(Outcome.not_applicable, reason=f"new: {baseline.source} does not have it")
        lack = f"{baseline.source} has no {limit.metric.title} of it" if baseline else "there is no baseline"
        make = "make one with: mnet check --format json --out FILE"
        return verdict(Outcome.missing, reason=f"{lack}, and {limit.text} is relative; {make}")
    bound = limit.bound(before)
    changed = f"{baseline.source} has it{_change(old, subject)}" if baseline and old and _change(old, subject) else ""
    if limit.holds(figure.value, before):
        return verdict(Outcome.passed, bound, "; ".join(filter(None, (figure.why, changed))))
    far = abs(figure.value - bound)
    away = f"{limit.metric.exactly(far) if limit.metric.kind != 'share' else f'{100 * far:.2f} points'}"
    over = f"{away} {'below' if limit.metric.floor else 'over'}"
    return verdict(Outcome.failed, bound, "; ".join(filter(None, (over, changed))))


def _figure(subject: Subject, metric: Metric, budget: Budget) -> _Figure:
    if metric.key in ("latency", "memory"):
        return _measured(subject, metric, budget)
    known = f"known on {FITTED} only" if subject.agreement_of == FITTED else "not measured"
    values = {
        "size": (subject.size_bytes, "the file is not there"),
        "macs": (subject.macs, "the file does not tell: it was not made by mnet"),
        "parameters": (subject.parameters, "the file does not tell: it was not made by mnet"),
        "min_agreement": (subject.agreement, f"{known}; give the records of: mnet evaluate --reference"),
        "min_top1": (subject.top1, "not measured; give the records of: mnet evaluate"),
    }
    value, lack = values[metric.key]
    if value is None:
        return _Figure(None, _failed(subject) or lack)
    source = subject.agreement_of if metric.key == "min_agreement" else None
    return _Figure(value, f"on {source}" if source else "")


def _measured(subject: Subject, metric: Metric, budget: Budget) -> _Figure:
    """Latency and memory: the worst of the profiles on the budget's device at its number of threads."""
    runs = [each for each in subject.runs if budget.device in (None, each.host)]
    if not runs and subject.runs:
        return _Figure(None, _elsewhere(str(budget.device), subject.runs), applies=False)
    if not runs:
        where = f" --host {budget.device}" if budget.device else ""
        return _Figure(None, _failed(subject) or f"not measured; give the records of: mnet profile{where}")
    same = [each for each in runs if each.threads == budget.threads]
    if not same:
        counts = ", ".join(map(str, sorted({each.threads for each in runs})))
        return _Figure(None, f"measured with {counts} threads, and the budget is for {budget.threads}")
    usable = [each for each in same if each.unusable is None]
    if not usable:
        return _Figure(None, f"not usable: {same[0].unusable}")
    if metric.key == "latency":
        return _Figure(max(each.median_ms for each in usable), _place(usable[0]))
    known = [each.memory_bytes for each in usable if each.memory_bytes is not None]
    return _Figure(max(known), _place(usable[0])) if known else _Figure(None, "the profile has no memory figure")


def _elsewhere(device: str, runs: Sequence[Run]) -> str:
    hosts = sorted({each.host for each in runs})
    hint = schema.nearest(device, hosts, "")
    return f"measured on {', '.join(hosts)}, and the budget is for {device}{hint and f'; {hint}'}"


def _place(run: Run) -> str:
    return f"on {run.host}, {run.threads} thread{'s' * (run.threads > 1)}"


def _failed(subject: Subject) -> str:
    return "; ".join(subject.failures)
