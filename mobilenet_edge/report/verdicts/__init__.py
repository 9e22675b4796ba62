"""Format a check; each format is a module with `dump(check) -> str`, without a final line break."""

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
    """Result of a check.

    Attributes:
        budgets: Budget file.
        subjects: Checked artifacts.
        verdicts: Verdicts in the order of the file.
        baseline: Baseline of relative limits, or None.
        notes: Remarks for the user.
        free: Paths of the artifacts that no budget matches.
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
        """Number of verdicts by outcome."""
        return Counter(verdict.outcome for verdict in self.verdicts)

    def line(self, verdict: Verdict) -> int:
        """Return the line of the budget file that a verdict refers to."""
        return self.budgets.line(verdict.index, verdict.limit.metric.key if verdict.limit else None)

    def before(self, subject: Subject) -> Subject | None:
        """Return the artifact in the baseline, or None."""
        return self.baseline.find(subject) if self.baseline else None
