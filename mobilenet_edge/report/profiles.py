"""Format the results of `mnet profile`."""

from __future__ import annotations

from collections.abc import Sequence

from mobilenet_edge.records import Profile, Record
from mobilenet_edge.report import endurance, operators, portions, rows, summary
from mobilenet_edge.report.cells import median_within
from mobilenet_edge.report.heading import heading
from mobilenet_edge.report.markdown_table import inline
from mobilenet_edge.units import format_ms


def text(records: Sequence[Record]) -> str:
    """Format profiles and failures as a table, followed by operators and traces."""
    profiles = [record for record in records if isinstance(record, Profile)]
    return "\n\n".join(
        [
            summary.markdown(rows.join(records)),
            *(_parallel(profile) for profile in profiles if profile.parallel),
            *(_energy(profile) for profile in profiles if profile.energy),
            *(portions.text(profile) for profile in profiles if profile.end_to_end),
            *(operators.text(profile) for profile in profiles if profile.ops),
            *(endurance.text(profile) for profile in profiles if profile.trace),
        ]
    )


def _parallel(profile: Profile) -> str:
    """Say what several processes reach together, beside one alone."""
    load = profile.parallel or {}
    words = f"{load['processes']} processes at once: {load['images_per_s']:.4g} images a second in total"
    if load["median_ms"] is not None:
        words += f", median {format_ms(load['median_ms'])} ms, 90 % within {format_ms(load['p90_ms'])} ms"
    return f"- {heading(profile)}, {words} (one alone: {1e3 / profile.median_ms:.4g} a second)"


def _energy(profile: Profile) -> str:
    """Say what an inference takes above idle time, and of what."""
    energy = profile.energy or {}
    value = median_within(energy["mj"], energy["interval_mj"])
    return (
        f"- {heading(profile)}, energy of the {energy['source']}: {value} mJ per inference above idle "
        f"({energy['busy_w']:.2f} W while it runs, {energy['idle_w']:.2f} W before); {inline(energy['how'])}"
    )
