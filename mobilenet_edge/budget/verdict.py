"""Compare figures with budgets: one verdict for each budget, artifact and limit."""

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

_NEW_BASELINE: Final = "if that is intended, write a new baseline: mnet check --format json --out FILE"


class Outcome(StrEnum):
    """The outcome of a verdict; failed and missing fail the check."""

    failed = "failed"
    missing = "missing"
    not_applicable = "not-applicable"
    passed = "passed"


@dataclass(frozen=True)
class Verdict:
    """The result of one limit for one artifact.

    Attributes:
        index: Index of the budget in its file, from 0.
        budget: Title of the budget.
        outcome: Whether the limit holds.
        subject: The artifact, None if the budget matches none.
        limit: The limit, None if the budget matches no artifact.
        bound: The limit in the unit of its metric, None if the baseline lacks the figure it needs.
        actual: The figure, None if unknown.
        before: The figure of the baseline, None if there is none.
        reason: Why the limit does not hold, or what the figure was measured on; may be empty.
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
        """Whether the verdict fails the check."""
        return self.outcome in (Outcome.failed, Outcome.missing)

    @property
    def change(self) -> float | None:
        """Change since the baseline as a share of its figure, for a share the difference; None if unknown."""
        if self.limit is None or self.actual is None or self.before is None:
            return None
        if self.limit.metric.kind == "share":
            return self.actual - self.before
        return self.actual / self.before - 1 if self.before else None


@dataclass(frozen=True)
class _Figure:
    """A figure, or the reason why there is none; `applies` is False if there need not be one."""

    value: float | None
    reason: str = ""
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
        budgets: The budget file.
        subjects: The artifacts.
        baseline: The baseline of relative limits, None for none.
        only: Keys of the metrics to check; empty for all.
        expected: Returns whether an artifact of the baseline should be among the checked ones.

    Returns:
        The verdicts, in the order of the file. A budget that matches no artifact gets one verdict, missing. So does an
        expected artifact of the baseline that a budget matches, if it no longer exists or no longer matches.
    """
    expected_subjects = [] if baseline is None else [subject for subject in baseline.subjects if expected(subject)]
    current = {} if baseline is None else {id(baseline.find(subject)): subject for subject in subjects}
    verdicts: list[Verdict] = []
    for index, budget in enumerate(budgets.budgets):
        limits = [limit for limit in budget.limits if not only or limit.metric.key in only]
        if not limits:
            continue
        matching = [subject for subject in subjects if _matches(budget, subject)]
        if not matching:
            reason = f"it matches none of {len(subjects)} artifacts: check its patterns, and that the files exist"
            verdicts.append(Verdict(index, budget.title, Outcome.missing, reason=reason))
        verdicts += [_verdict(index, budget, limit, subject, baseline) for subject in matching for limit in limits]
        for old in expected_subjects:
            new = current.get(id(old))
            if baseline is not None and _matches(budget, old) and (new is None or not _matches(budget, new)):
                change = _change(old, new) or f" as {old.artifact}"
                reason = f"{baseline.source} has it{change}; {_NEW_BASELINE}"
                verdicts.append(Verdict(index, budget.title, Outcome.missing, new or old, reason=reason))
    return verdicts


def _change(old: Subject, new: Subject | None) -> str:
    """Describe how an artifact changed since the baseline; empty if variant, precision and format are the same."""
    if new is None:
        return ", and it is gone"
    before, after = (" ".join(filter(None, (each.variant, each.precision, each.format))) for each in (old, new))
    return f" as {before}, and it is {after} now" if before != after else ""


def unmatched(budgets: Budgets, subjects: Sequence[Subject]) -> Iterator[Subject]:
    """Yield the artifacts that no budget matches."""
    return (subject for subject in subjects if not any(_matches(budget, subject) for budget in budgets.budgets))


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

    def verdict(outcome: Outcome, bound: float | None = None, reason: str = figure.reason) -> Verdict:
        return Verdict(index, budget.title, outcome, subject, limit, bound, figure.value, before, reason)

    if figure.value is None:
        return verdict(Outcome.missing if figure.applies else Outcome.not_applicable)
    if limit.relative and before is None:
        if baseline is not None and old is None:
            return verdict(Outcome.not_applicable, reason=f"new: {baseline.source} does not have it")
        fact = f"{baseline.source} has no {limit.metric.title} of it" if baseline else "there is no baseline"
        advice = "write one with: mnet check --format json --out FILE"
        return verdict(Outcome.missing, reason=f"{fact}, and {limit.text} is relative; {advice}")
    bound = limit.bound(before)
    changed = f"{baseline.source} has it{_change(old, subject)}" if baseline and old and _change(old, subject) else ""
    if limit.holds(figure.value, before):
        return verdict(Outcome.passed, bound, "; ".join(filter(None, (figure.reason, changed))))
    excess = abs(figure.value - bound)
    amount = f"{100 * excess:.2f} points" if limit.metric.kind == "share" else limit.metric.exactly(excess)
    distance = f"{amount} {'below' if limit.metric.floor else 'over'}"
    return verdict(Outcome.failed, bound, "; ".join(filter(None, (distance, changed))))


def _figure(subject: Subject, metric: Metric, budget: Budget) -> _Figure:
    if metric.key in ("latency", "memory"):
        return _measured_figure(subject, metric, budget)
    known = f"known on {FITTED} only" if subject.agreement_of == FITTED else "not measured"
    values = {
        "size": (subject.size_bytes, "the file does not exist"),
        "macs": (subject.macs, "unknown: the file was not written by mnet"),
        "parameters": (subject.parameters, "unknown: the file was not written by mnet"),
        "min_agreement": (subject.agreement, f"{known}; give the records of: mnet evaluate --reference"),
        "min_top1": (subject.top1, "not measured; give the records of: mnet evaluate"),
    }
    value, reason = values[metric.key]
    if value is None:
        return _Figure(None, _failure_text(subject) or reason)
    source = subject.agreement_of if metric.key == "min_agreement" else None
    return _Figure(value, f"on {source}" if source else "")


def _measured_figure(subject: Subject, metric: Metric, budget: Budget) -> _Figure:
    """Return the latency or memory: the worst of the profiles on the budget's device with its number of threads."""
    runs = [run for run in subject.runs if budget.device in (None, run.host)]
    if not runs and subject.runs:
        return _Figure(None, _elsewhere(str(budget.device), subject.runs), applies=False)
    if not runs:
        where = f" --host {budget.device}" if budget.device else ""
        return _Figure(None, _failure_text(subject) or f"not measured; give the records of: mnet profile{where}")
    candidates = [run for run in runs if run.threads == budget.threads]
    if not candidates:
        counts = ", ".join(map(str, sorted({run.threads for run in runs})))
        return _Figure(None, f"measured with {counts} threads, and the budget is for {budget.threads}")
    usable = [run for run in candidates if run.unusable is None]
    if not usable:
        return _Figure(None, f"not usable: {candidates[0].unusable}")
    if metric.key == "latency":
        return _Figure(max(run.median_ms for run in usable), _describe_run(usable[0]))
    known = [run.memory_bytes for run in usable if run.memory_bytes is not None]
    return _Figure(max(known), _describe_run(usable[0])) if known else _Figure(None, "the profile has no memory figure")


def _elsewhere(device: str, runs: Sequence[Run]) -> str:
    hosts = sorted({run.host for run in runs})
    hint = schema.nearest(device, hosts, "")
    return f"measured on {', '.join(hosts)}, and the budget is for {device}{hint and f'; {hint}'}"


def _describe_run(run: Run) -> str:
    return f"on {run.host}, {run.threads} thread{'s' * (run.threads > 1)}"


def _failure_text(subject: Subject) -> str:
    return "; ".join(subject.failures)
