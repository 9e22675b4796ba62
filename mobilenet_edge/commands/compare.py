"""`mnet compare`: compare the profiles of two files, before and after a change."""

from __future__ import annotations

from pathlib import Path

from mobilenet_edge import records
from mobilenet_edge.analysis.difference import Comparison, compare
from mobilenet_edge.errors import InputError
from mobilenet_edge.records import Profile


def run(base: Path, new: Path, *, anyway: bool = False) -> Comparison:
    """Compare the profiles of two files.

    Args:
        base: File of `mnet profile --json` before the change.
        new: File of `mnet profile --json` after the change.
        anyway: Also compare profiles measured under different conditions.

    Raises:
        InputError: A file cannot be read, or holds no profile.
        UsageError: No artifact is in both files, or the conditions differ and `anyway` is false.
    """
    return compare(_profiles(base), _profiles(new), anyway=anyway)


def _profiles(path: Path) -> list[Profile]:
    profiles = [record for record in records.read(path) if isinstance(record, Profile)]
    if not profiles:
        raise InputError(f"{path} holds no profile; measure one with: mnet profile ARTIFACT --json {path}")
    return profiles
