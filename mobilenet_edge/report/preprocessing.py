"""How pixels became the inputs of models, for reading."""

from __future__ import annotations

from collections.abc import Sequence

from mobilenet_edge.conversion.pipeline import Files
from mobilenet_edge.data import describe
from mobilenet_edge.records import Classification, Evaluation


def of_export(files: Files) -> str:
    """Write the rule that exported files follow; empty where there is none."""
    return "" if files.rule is None or not files else f"pixels: {describe.line(files.rule)}"


def of_records(records: Sequence[Evaluation] | Sequence[Classification]) -> str:
    """Write the rule of each model that answered, like rules once."""
    lines: dict[str, dict[str, None]] = {}
    for each in records:
        rule = describe.line(describe.rule_of(each.conditions["preprocess"]))
        lines.setdefault(rule, {})[each.artifact] = None
    if len(lines) == 1:
        return f"pixels: {next(iter(lines))}"
    return "\n".join(f"pixels of {', '.join(names)}: {line}" for line, names in lines.items())
