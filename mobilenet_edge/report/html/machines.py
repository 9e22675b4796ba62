"""Machines by short names, where a full description would fill a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mobilenet_edge.report.hardware import LOCAL
from mobilenet_edge.report.html.shorten import shorten
from mobilenet_edge.report.rows import Row

UNKNOWN: Final = "not profiled"
# What every CPU is called besides its name.
_PADDING: Final = re.compile(r"\((?:R|TM)\)|\b(?:CPU|Processor)\b|\d+-Core\b", re.IGNORECASE)


def names(groups: Mapping[str, Iterable[Row]]) -> dict[str, str]:
    """Name each machine of `rows.by_machine`: by its device's name, else its board, else its CPU; never two alike."""
    short: dict[str, str] = {}
    for machine, group in groups.items():
        host = next((known.host for row in group if (known := row.profile or row.prediction)), {})
        name, number = _name(machine, host), 1
        while name in short.values():
            number += 1
            name = f"{_name(machine, host)} ({number})"
        short[machine] = name
    return short


def _name(machine: str, host: Mapping[str, Any]) -> str:
    own = host.get("name") if host.get("name") != LOCAL else None
    cpu = _PADDING.sub(" ", host.get("cpu") or "")
    return shorten(own or host.get("board") or cpu or machine) or UNKNOWN
