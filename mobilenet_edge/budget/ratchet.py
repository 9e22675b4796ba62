"""Tighten limits in the budget file, without changing the rest of the file."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mobilenet_edge.budget.budgets import Budgets
from mobilenet_edge.budget.limit import Limit, dump
from mobilenet_edge.budget.verdict import Outcome, Verdict
from mobilenet_edge.errors import InputError

# A limit in the file: a string without quotes and escapes inside.
_TEXT: Final = r"(\"{0}\"|'{0}')"


@dataclass(frozen=True)
class Change:
    """A tightened limit.

    Attributes:
        index: Index of the budget in its file.
        budget: Title of the budget.
        key: Key of the metric.
        before: The old limit.
        after: The new limit.
    """

    index: int
    budget: str
    key: str
    before: str
    after: str


def tighten(budgets: Budgets, verdicts: Sequence[Verdict]) -> tuple[str, list[Change]]:
    """Tighten the limits of budgets with a ratchet to the worst figure of their artifacts.

    A limit that an artifact exceeds is not changed.

    Returns:
        The new text of the file, and the changes.

    Raises:
        InputError: A limit cannot be changed without changing other parts of the file.
    """
    groups = defaultdict[tuple[int, Limit], list[Verdict]](list)
    for verdict in verdicts:
        if verdict.limit is not None and budgets.budgets[verdict.index].ratchet:
            groups[verdict.index, verdict.limit].append(verdict)
    changes = [change for (index, limit), group in groups.items() if (change := _change(index, limit, group))]
    text = budgets.text
    for change in changes:
        text = _replace(budgets, text, change)
    return text, changes


def _change(index: int, limit: Limit, group: Sequence[Verdict]) -> Change | None:
    if any(verdict.outcome is not Outcome.passed for verdict in group):
        return None
    actual = [verdict.actual for verdict in group if verdict.actual is not None]
    worst = min(actual) if limit.metric.floor else max(actual)
    after = dump(limit.metric, worst, limit.text)
    value = Limit.parse(after, limit.metric).value
    if value == limit.value or (value < limit.value) is limit.metric.floor:
        return None
    return Change(index, group[0].budget, limit.metric.key, limit.text, after)


def _replace(budgets: Budgets, text: str, change: Change) -> str:
    """Replace a limit on its line, and check that the parsed file differs in nothing else."""
    number = budgets.line(change.index, change.key)
    lines = text.splitlines(keepends=True)
    pattern = re.compile(_TEXT.format(re.escape(change.before)))
    lines[number - 1] = pattern.sub(f'"{change.after}"', lines[number - 1], count=1)
    changed = "".join(lines)
    if tomllib.loads(changed) != _expected(tomllib.loads(text), change):
        raise InputError(
            f"{budgets.path}, line {number}: {change.key} cannot be changed safely; "
            f"put it on a separate line, or write {change.after!r} by hand"
        )
    return changed


def _expected(document: dict[str, Any], change: Change) -> dict[str, Any]:
    tables = document["budget"]
    table = tables[change.index] if isinstance(tables, list) else tables
    limits = table[change.key]
    if isinstance(limits, list):
        limits[limits.index(change.before)] = change.after
    else:
        table[change.key] = change.after
    return document
