"""`mnet compare`: two measurements of the same things, before and after a change."""

from __future__ import annotations

from pathlib import Path

from mobilenet_edge import records
from mobilenet_edge.analysis.difference import Comparison, compare
from mobilenet_edge.errors import InputError
from mobilenet_edge.records import Profile


def run(base: Path, new: Path, *, anyway: bool = False) -> Comparison:
    """Compare the profiles of two files.

    Args:
        base: What `mnet profile --json` wrote before.
        new: And after.
        anyway: Compare what was measured under unlike conditions, too; the result names them.

    Raises:
        InputError: A file cannot be read, or holds no profile.
        UsageError: Nothing is in both files, or the conditions differ; every difference is named.
    """
    return compare(_profiles(base), _profiles(new), anyway=anyway)


def _profiles(path: Path) -> list[Profile]:
    found = [record for record in records.read(path) if isinstance(record, Profile)]
    if not found:
        raise InputError(f"{path} holds no profile; make one with: mnet profile ARTIFACT --json {path}")
    return found
