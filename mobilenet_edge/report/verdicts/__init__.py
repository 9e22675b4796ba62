"""A check for people and for machines, a module for each format: `dump(check) -> str`, without a final line break."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from mobilenet_edge.budget.baseline import Baseline
from mobilenet_edge.budget.budgets import Budgets
from mobilenet_edge.budget.ratchet import Change
from mobilenet_edge.budget.subject import Subject
from mobilenet_edge.budget.verdict import Outcome, Verdict


@dataclass(frozen=True)
class Check:
    """What a check found.

    Attributes:
        budgets: The file.
        subjects: What was checked.
        verdicts: In the order of the file.
        baseline: What it was compared with, if anything.
        notes: Remarks.
        free: Artifacts that no budget matches.
        changes: Limits that were tightened.
    """

    budgets: Budgets
    subjects: tuple[Subject, ...]
    verdicts: tuple[Verdict, ...]
    baseline: Baseline | None = None
    notes: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing failed and nothing is missing."""
        return not any(verdict.bad for verdict in self.verdicts)

    @property
    def count(self) -> Counter[Outcome]:
        """How many verdicts of each outcome."""
        return Counter(verdict.outcome for verdict in self.verdicts)

    def line(self, verdict: Verdict) -> int:
        """Line of the budget file that a verdict is about."""
        return self.budgets.line(verdict.index, verdict.limit.metric.key if verdict.limit else None)

    def before(self, subject: Subject) -> Subject | None:
        """Return the artifact in the baseline."""
        return self.baseline.find(subject) if self.baseline else None
