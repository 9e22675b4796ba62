"""Format the findings of `mnet doctor`, each with its next step below."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mobilenet_edge.analysis.finding import Finding
from mobilenet_edge.analysis.health import Report
from mobilenet_edge.analysis.installation import formats
from mobilenet_edge.report.hardware import UNKNOWN

WIDTH: Final = 80
INDENT: Final = 8
_WORDS: Final = {"ok": "ok", "warn": "warn", "fail": "FAIL"}


def text(reports: Sequence[Report], width: int = WIDTH) -> str:
    """Format reports without colours.

    Facts are wrapped at `width` columns. Next steps are not wrapped, so that their commands can be copied.
    """
    return "\n\n".join("\n".join(_lines(report, width)) for report in reports)


def _lines(report: Report, width: int) -> list[str]:
    if report.facts is None:
        return [f"{report.host}: not reached", *_wrap("  FAIL  ", report.failure or "", width)]
    column = max(len(finding.name) for finding in report.findings) + 2
    lines = _wrap("", f"{report.host}: {_name(report.facts['host'])}", width)
    for finding in report.findings:
        lines += _wrap(f"  {_WORDS[finding.status]:4}  {finding.name:{column}}", finding.fact, width)
        lines += [" " * INDENT + f"> {_plain(finding.next)}"] if finding.next is not None else []
    return [*lines, *_wrap("", _verdict(report.facts, report.findings), width)]


def _name(host: Mapping[str, Any]) -> str:
    cores = host.get("cores")
    facts = [host.get("board"), host.get("cpu"), f"{cores} core{'s' * (cores > 1)}" if cores else None, host.get("os")]
    return ", ".join(str(fact) for fact in facts if fact) or UNKNOWN


def _verdict(facts: Mapping[str, Any], findings: Sequence[Finding]) -> str:
    names = " and ".join(f".{name}" for name in formats(facts))
    failed, warned = (sum(finding.status == status for finding in findings) for status in ("fail", "warn"))
    counts = [f"{failed} failed" if failed else "", f"{warned} warning{'s' * (warned > 1)}" if warned else ""]
    verdict = f"It can run {names} files" if names else "It cannot run any format"
    return f"{verdict}: {', '.join(filter(None, counts)) or 'no problems'}."


def _wrap(head: str, fact: str, width: int) -> list[str]:
    return textwrap.wrap(
        _plain(fact),
        max(width, len(head) + 20),
        initial_indent=head,
        subsequent_indent=" " * (len(head) or 2),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [head.rstrip()]


def _plain(text: str) -> str:
    # Text from a machine is untrusted, so its control characters must not reach the terminal.
    return "".join(character if character.isprintable() else " " for character in text)
