"""One profile in a few words, as the heading of what is said of it alone."""

from __future__ import annotations

from mobilenet_edge.records import Profile
from mobilenet_edge.report.markdown_table import inline


def heading(profile: Profile) -> str:
    """Name the artifact, the threads, and the machine."""
    threads = f"{profile.threads} thread{'s' * (profile.threads > 1)}"
    where = profile.host.get("name") or "local"
    return inline(f"{profile.variant} {profile.format} {profile.precision}, {threads}, {where}")
