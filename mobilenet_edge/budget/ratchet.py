"""Tightening limits in the budget file: the numbers change, and nothing else of it does."""

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

# A limit as it stands in the file; it has no quotes and no escapes inside.
_TEXT: Final = r"(\"{0}\"|'{0}')"


@dataclass(frozen=True)
class Change:
    """A limit that was tightened.

    Attributes:
        index: Place of the budget in its file.
        budget: Its title.
        key: Of the metric.
        before: The limit that was there.
        after: The limit that is there now.
    """

    index: int
    budget: str
    key: str
    before: str
    after: str


def tighten(budgets: Budgets, verdicts: Sequence[Verdict]) -> tuple[str, list[Change]]:
    """Set the limits of ratchets to what the worst of their artifacts needs, where that is tighter.

    A limit that one artifact does not hold stays as it is.

    Returns:
        The new text of the file, and what changed.

    Raises:
        InputError: A limit stands in the file in a way that cannot be changed safely.
    """
    groups = defaultdict[tuple[int, Limit], list[Verdict]](list)
    for each in verdicts:
        if each.limit is not None and budgets.budgets[each.index].ratchet:
            groups[each.index, each.limit].append(each)
    changes = [change for (index, limit), group in groups.items() if (change := _change(index, limit, group))]
    text = budgets.text
    for change in changes:
        text = _replaced(budgets, text, change)
    return text, changes


def _change(index: int, limit: Limit, group: Sequence[Verdict]) -> Change | None:
    if any(each.outcome is not Outcome.passed for each in group):
        return None
    actual = [each.actual for each in group if each.actual is not None]
    worst = min(actual) if limit.metric.floor else max(actual)
    after = dump(limit.metric, worst, limit.text)
    value = Limit.parse(after, limit.metric).value
    if value == limit.value or (value < limit.value) is limit.metric.floor:
        return None
    return Change(index, group[0].budget, limit.metric.key, limit.text, after)


def _replaced(budgets: Budgets, text: str, change: Change) -> str:
    """Change one text on its line, then read the file again: nothing else may have changed."""
    number = budgets.line(change.index, change.key)
    lines = text.splitlines(keepends=True)
    pattern = re.compile(_TEXT.format(re.escape(change.before)))
    lines[number - 1] = pattern.sub(f'"{change.after}"', lines[number - 1], count=1)
    made = "".join(lines)
    if tomllib.loads(made) != _wanted(tomllib.loads(text), change):
        where = f"{budgets.path}, line {number}"
        fact = f"{change.key} cannot be changed safely as it stands"
        raise InputError(f"{where}: {fact}; put it on a line of its own, or write {change.after!r} by hand")
    return made


def _wanted(whole: dict[str, Any], change: Change) -> dict[str, Any]:
    tables = whole["budget"]
    table = tables[change.index] if isinstance(tables, list) else tables
    held = table[change.key]
    if isinstance(held, list):
        held[held.index(change.before)] = change.after
    else:
        table[change.key] = change.after
    return whole
