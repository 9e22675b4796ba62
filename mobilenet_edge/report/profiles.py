"""What `mnet profile` prints: the table, then what was asked about single artifacts."""

from __future__ import annotations

from collections.abc import Sequence

from mobilenet_edge.records import Profile, Record
from mobilenet_edge.report import ops, rows, table, trace


def text(records: Sequence[Record]) -> str:
    """Lay out profiles, and failures where there are any."""
    profiles = [each for each in records if isinstance(each, Profile)]
    return "\n\n".join(
        [
            table.markdown(rows.join(records)),
            *(ops.text(each) for each in profiles if each.ops),
            *(trace.text(each) for each in profiles if each.trace),
        ]
    )
