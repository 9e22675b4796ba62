"""Write the heading of a section about one profile."""

from __future__ import annotations

from mobilenet_edge.records import Profile
from mobilenet_edge.report.markdown_table import inline


def heading(profile: Profile) -> str:
    """Return the artifact, the threads and the machine of a profile."""
    threads = f"{profile.threads} thread{'s' * (profile.threads > 1)}"
    where = profile.host.get("name") or "local"
    return inline(f"{profile.variant} {profile.format} {profile.precision}, {threads}, {where}")
