"""A check for reading in a terminal."""

from __future__ import annotations

from mobilenet_edge.report.verdicts import Check, prose
from mobilenet_edge.text import printable


def dump(check: Check) -> str:
    """Lay out the verdicts, where the bytes of too large files go, and how it went."""
    parts = [prose.table(check)]
    parts += [
        f"Where the bytes of {printable(subject.artifact)} go\n\n{table}" for subject, table in prose.where(check)
    ]
    parts.append("\n".join(printable(remark) for remark in prose.remarks(check)))
    parts.append(printable(prose.summary(check)))
    return "\n\n".join(filter(None, parts))
