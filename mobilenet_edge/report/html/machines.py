"""Give machines short names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mobilenet_edge.report.hardware import LOCAL
from mobilenet_edge.report.html.shorten import shorten
from mobilenet_edge.report.rows import Row

UNKNOWN: Final = "not profiled"
# Words without information in the names of CPUs.
_PADDING: Final = re.compile(r"\((?:R|TM)\)|\b(?:CPU|Processor)\b|\d+-Core\b", re.IGNORECASE)


def names(groups: Mapping[str, Iterable[Row]]) -> dict[str, str]:
    """Return distinct names for the machines of `rows.by_machine`: the host's name, else the board, else the CPU."""
    short: dict[str, str] = {}
    for machine, group in groups.items():
        host = next((timing.host for row in group if (timing := row.profile or row.prediction)), {})
        name, number = _name(machine, host), 1
        while name in short.values():
            number += 1
            name = f"{_name(machine, host)} ({number})"
        short[machine] = name
    return short


def _name(machine: str, host: Mapping[str, Any]) -> str:
    name = host.get("name") if host.get("name") != LOCAL else None
    cpu = _PADDING.sub(" ", host.get("cpu") or "")
    return shorten(name or host.get("board") or cpu or machine) or UNKNOWN
