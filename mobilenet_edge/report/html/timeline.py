"""Read the history of size and latency over commits, written by `mnet check --record`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import files, schema
from mobilenet_edge.errors import InputError
from mobilenet_edge.report.html.shorten import shorten
from mobilenet_edge.text import printable

SCHEMA_VERSION: Final = 1
_COMMIT: Final = 7


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One artifact at one commit, optionally with a latency on one machine at one thread count.

    Attributes:
        commit: Hash of the commit, or None if unknown.
        date: Date of the commit, ISO 8601.
        artifact: Path of the file.
        size_bytes: File size in bytes.
        median_ms: Median latency in milliseconds, or None if it was not measured.
    """

    date: str
    artifact: str
    variant: str
    format: str
    precision: str
    size_bytes: int
    commit: str | None = None
    target: str | None = None
    host: str | None = None
    threads: int | None = None
    median_ms: float | None = None

    def __post_init__(self) -> None:
        if self.size_bytes < 1 or (self.median_ms is not None and self.median_ms <= 0):
            raise ValueError("sizes and times must be above 0")

    @property
    def moment(self) -> tuple[str, str]:
        """Date and short commit hash, which are equal for all entries of one check."""
        return self.date, (self.commit or "no commit")[:_COMMIT]

    @property
    def file(self) -> str:
        """Name of the artifact, independent of the commit."""
        target = f" {self.target}" if self.target not in (None, "generic") else ""
        return printable(f"{shorten(self.variant)} {self.precision} {self.format}{target}")

    @property
    def line(self) -> str:
        """Name of the artifact with machine and threads, for a line in the chart."""
        place = f", {shorten(self.host)}" if self.host else ""
        threads = f", {self.threads} thread{'s' * (self.threads > 1)}" if self.threads else ""
        return printable(f"{self.file}{place}{threads}")


def read(path: Path) -> list[Entry]:
    """Read a history in the order of its lines.

    Raises:
        InputError: The file is missing, or a line was not written by `mnet check --record`.
    """
    entries = []
    for number, line in enumerate(files.read_bytes(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entries.append(_entry(json.loads(line)))
        except (ValueError, TypeError, RecursionError) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"line {number} of {path} is not a history entry ({reason}); give a file of mnet check --record"
            ) from error
    return entries


def moments(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """List the checks by date, and those of the same date in the order of the file."""
    return sorted(dict.fromkeys(entry.moment for entry in entries), key=lambda moment: moment[0])


def _entry(line: Any) -> Entry:
    if not isinstance(line, dict):
        raise TypeError("not a JSON object")
    if line.get("schema_version", SCHEMA_VERSION) != SCHEMA_VERSION:
        raise ValueError(f"schema version {line['schema_version']!r:.20}, this is {SCHEMA_VERSION}")
    return schema.from_dict(Entry, line)
