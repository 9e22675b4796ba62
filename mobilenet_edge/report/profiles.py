"""Format the results of `mnet profile`."""

from __future__ import annotations

from collections.abc import Sequence

from mobilenet_edge.records import Profile, Record
from mobilenet_edge.report import endurance, operators, rows, summary


def text(records: Sequence[Record]) -> str:
    """Format profiles and failures as a table, followed by operators and traces."""
    profiles = [record for record in records if isinstance(record, Profile)]
    return "\n\n".join(
        [
            summary.markdown(rows.join(records)),
            *(operators.text(profile) for profile in profiles if profile.ops),
            *(endurance.text(profile) for profile in profiles if profile.trace),
        ]
    )
