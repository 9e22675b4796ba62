"""What `mnet profile` prints: the table, then what was asked about single artifacts."""

from __future__ import annotations

from collections.abc import Sequence

from mobilenet_edge.records import Profile, Record
from mobilenet_edge.report import endurance, operators, rows, summary


def text(records: Sequence[Record]) -> str:
    """Lay out profiles, and failures where there are any."""
    profiles = [each for each in records if isinstance(each, Profile)]
    return "\n\n".join(
        [
            summary.markdown(rows.join(records)),
            *(operators.text(each) for each in profiles if each.ops),
            *(endurance.text(each) for each in profiles if each.trace),
        ]
    )
