"""Describe the machine of a latency; equal descriptions mean the same machine."""

from __future__ import annotations

from typing import Final

from mobilenet_edge.records import Prediction, Profile

UNKNOWN: Final = "an unknown machine"
LOCAL: Final = "local"


def describe(profile: Profile | Prediction) -> str:
    """Return host, board, CPU, cores, architecture, instruction sets, system, governor and affinity, if known."""
    host = profile.host
    name, cores, governor, isa = (host.get(key) for key in ("name", "cores", "governor", "isa"))
    emulated, pinned = host.get("emulated"), profile.conditions.get("affinity")
    facts = [
        name if name != LOCAL else None,
        host.get("board"),
        host.get("cpu"),
        f"{cores} core{'s' * (cores > 1)}" if cores else None,
        " ".join(part for part in (host.get("machine"), f"({', '.join(isa)})" if isa else None) if part),
        f"emulated by {emulated}" if emulated else None,
        host.get("os"),
        f"governor {governor}" if governor else None,
        f"on CPU {' and '.join(str(cpu) for cpu in pinned)}" if pinned else None,
    ]
    return ", ".join(fact for fact in facts if fact) or UNKNOWN
