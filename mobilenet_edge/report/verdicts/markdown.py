"""A check as Markdown, for a job summary or a comment."""

from __future__ import annotations

import html

from mobilenet_edge.report.markdown_table import inline
from mobilenet_edge.report.verdicts import Check, prose
from mobilenet_edge.text import printable


def dump(check: Check) -> str:
    """Lay out the verdicts under a heading, and where the bytes of too large files go in parts that unfold."""
    parts = [f"### mnet check: {'passed' if check.passed else 'failed'}", inline(prose.summary(check))]
    parts.append(prose.table(check))
    parts += [_unfolding(f"Where the bytes of {subject.artifact} go", table) for subject, table in prose.where(check)]
    parts.append("\n".join(f"- {inline(remark)}" for remark in prose.remarks(check)))
    return "\n\n".join(filter(None, parts))


def _unfolding(title: str, body: str) -> str:
    # The title stands among tags, where a backslash escapes nothing.
    return f"<details><summary>{html.escape(printable(title), quote=False)}</summary>\n\n{body}\n\n</details>"
