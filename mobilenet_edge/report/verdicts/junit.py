"""Format a check as JUnit XML, with a suite per budget and a test case per verdict.

The schema is that of Jenkins (github.com/jenkinsci/xunit-plugin, junit-10.xsd), which GitLab supports too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from xml.etree import ElementTree

from mobilenet_edge.budget.verdict import Outcome, Verdict
from mobilenet_edge.report.verdicts import Check, prose
from mobilenet_edge.text import printable


def dump(check: Check) -> str:
    """Format the verdicts; failed and missing ones are failures, those that do not apply are skipped."""
    root = ElementTree.Element("testsuites", {"name": "mnet check", "time": "0", **_counts(check.verdicts)})
    groups = defaultdict[int, list[Verdict]](list)
    for verdict in check.verdicts:
        groups[verdict.index].append(verdict)
    for group in groups.values():
        facts = {"name": printable(group[0].budget), "time": "0", **_counts(group)}
        suite = ElementTree.SubElement(root, "testsuite", facts)
        for verdict in group:
            _case(check, suite, verdict)
    ElementTree.indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}'


def _counts(group: Sequence[Verdict]) -> dict[str, str]:
    return {"tests": str(len(group)), "failures": str(sum(verdict.bad for verdict in group)), "errors": "0"}


def _case(check: Check, suite: ElementTree.Element, verdict: Verdict) -> None:
    limit = f" {prose.bound(verdict)}" if verdict.limit else ""
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=printable(prose.name(verdict)),
        name=printable(f"{prose.what(verdict)}{limit}"),
        time="0",
    )
    message = printable(f"{prose.actual(verdict)}, limit {prose.bound(verdict)}: {verdict.reason}")
    if verdict.bad:
        failure = ElementTree.SubElement(case, "failure", type=verdict.outcome.value, message=message)
        failure.text = printable(f"{check.budgets.path}:{check.line(verdict)}")
    elif verdict.outcome is Outcome.not_applicable:
        ElementTree.SubElement(case, "skipped", message=printable(verdict.reason))
