"""Record figures over commits: every check appends lines to a file, each a JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import files
from mobilenet_edge.budget.subject import Run, Subject
from mobilenet_edge.errors import InputError

SCHEMA_VERSION: Final = 1


def entries(subjects: Sequence[Subject], commit: str | None, date: str) -> Iterator[dict[str, Any]]:
    """Yield an entry for each usable profile of each artifact, or one without latency for an artifact without any.

    Args:
        subjects: The checked artifacts; those without a file are skipped.
        commit: The commit that they were built from, None if unknown.
        date: Date of the commit in ISO 8601.
    """
    for subject in subjects:
        if subject.size_bytes is None:
            continue
        usable: list[Run | None] = [run for run in subject.runs if run.unusable is None]
        for run in usable or [None]:
            yield {
                "schema_version": SCHEMA_VERSION,
                "commit": commit,
                "date": date,
                "artifact": subject.artifact,
                "variant": subject.variant,
                "format": subject.format,
                "precision": subject.precision,
                "target": subject.target,
                "size_bytes": subject.size_bytes,
                "macs": subject.macs,
                "parameters": subject.parameters,
                "agreement": subject.agreement,
                "top1": subject.top1,
                "host": run and run.host,
                "threads": run and run.threads,
                "median_ms": run and run.median_ms,
                "peak_rss_bytes": run and run.memory_bytes,
            }


def append(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """Append entries to a file, all or none of them.

    Raises:
        InputError: The file cannot be read or written, or its last line is not a JSON object.
    """
    before = files.read_bytes(path) if path.exists() else b""
    if before.strip():
        _check(path, before.splitlines()[-1])
        before = before if before.endswith(b"\n") else before + b"\n"
    text = "".join(json.dumps(line) + "\n" for line in lines)
    # The file is replaced as a whole, so that it never ends in part of a line.
    files.write_bytes(path, before + text.encode())


def _check(path: Path, line: bytes) -> None:
    try:
        valid = isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        valid = False
    if not valid:
        raise InputError(f"{path} is not a history: its last line is not a JSON object; choose another file")
