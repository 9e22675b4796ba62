"""Format a check as GitHub workflow commands, which annotate the lines of failed budgets.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterator

from mobilenet_edge.budget.verdict import Outcome, Verdict
from mobilenet_edge.report.verdicts import Check, prose


def dump(check: Check) -> str:
    """Format an error for each failed or missing verdict, a notice for those that do not apply, and a summary."""
    return "\n".join([*_annotations(check), _data(prose.summary(check)).replace("::", ": :")])


def _annotations(check: Check) -> Iterator[str]:
    for verdict in check.verdicts:
        if verdict.bad:
            yield _command("error", check, verdict)
        elif verdict.outcome is Outcome.not_applicable:
            yield _command("notice", check, verdict)


def _command(command: str, check: Check, verdict: Verdict) -> str:
    title = f"{prose.what(verdict)} of {prose.name(verdict)}: {verdict.outcome.value}"
    message = f"{prose.actual(verdict)}, limit {prose.bound(verdict)}: {verdict.reason}"
    if verdict.limit and (change := prose.change(verdict)) != prose.NONE:
        message += f" (change: {change})"
    properties = {"file": str(check.budgets.path), "line": str(check.line(verdict)), "title": title}
    fields = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{command} {fields}::{_data(message)}"


def _data(text: str) -> str:
    """Escape like actions/toolkit (packages/core/src/command.ts)."""
    # A file name may not be valid UTF-8, but the output must be.
    text = text.encode("utf-8", "replace").decode()
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
