"""Format a check for github-action-benchmark, as `customSmallerIsBetter`.

https://github.com/benchmark-action/github-action-benchmark
"""

from __future__ import annotations

from collections.abc import Iterator
from json import dumps
from typing import Any

from mobilenet_edge.budget.subject import Subject
from mobilenet_edge.report.verdicts import Check


def dump(check: Check) -> str:
    """Format size, and the latency and memory of each profile.

    Accuracy is left out, because all values of a file must be better when smaller.
    """
    return dumps([entry for subject in check.subjects for entry in _entries(subject)], indent=1)


def _entries(subject: Subject) -> Iterator[dict[str, Any]]:
    name = " ".join(filter(None, [subject.variant, subject.format, subject.precision]))
    if subject.target not in (None, "generic"):
        name += f" {subject.target}"
    if subject.size_bytes is not None:
        yield {"name": f"{name}: size", "unit": "B", "value": subject.size_bytes, "extra": subject.artifact}
    for run in subject.runs:
        if run.unusable is not None:
            continue
        place = f"on {run.host}, {run.threads} thread{'s' * (run.threads > 1)}"
        yield {"name": f"{name}: latency {place}", "unit": "ms", "value": run.median_ms, "extra": subject.artifact}
        if run.memory_bytes is not None:
            yield {"name": f"{name}: memory {place}", "unit": "B", "value": run.memory_bytes, "extra": subject.artifact}
