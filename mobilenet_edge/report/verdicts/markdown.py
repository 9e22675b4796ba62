"""Format a check as Markdown, for a job summary or a comment."""

from __future__ import annotations

import html

from mobilenet_edge.report.markdown_table import inline
from mobilenet_edge.report.verdicts import Check, prose
from mobilenet_edge.text import printable


def dump(check: Check) -> str:
    """Format the verdicts below a heading, with collapsed sections for the bytes of files that are too large."""
    parts = [f"### mnet check: {'passed' if check.passed else 'failed'}", inline(prose.summary(check))]
    parts.append(prose.table(check))
    parts += [_details(f"Bytes by part of {subject.artifact}", table) for subject, table in prose.where(check)]
    parts.append("\n".join(f"- {inline(remark)}" for remark in prose.remarks(check)))
    return "\n\n".join(filter(None, parts))


def _details(title: str, body: str) -> str:
    # Backslashes do not escape within HTML tags.
    return f"<details><summary>{html.escape(printable(title), quote=False)}</summary>\n\n{body}\n\n</details>"
