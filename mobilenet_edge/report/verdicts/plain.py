"""Format a check for the terminal."""

from __future__ import annotations

from mobilenet_edge.report.verdicts import Check, prose
from mobilenet_edge.text import printable


def dump(check: Check) -> str:
    """Format the verdicts, the bytes by part of files that are too large, and a summary."""
    parts = [prose.table(check)]
    parts += [f"Bytes by part of {printable(subject.artifact)}\n\n{table}" for subject, table in prose.where(check)]
    parts.append("\n".join(printable(remark) for remark in prose.remarks(check)))
    parts.append(printable(prose.summary(check)))
    return "\n\n".join(filter(None, parts))
