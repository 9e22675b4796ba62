"""Figures over commits: a file to which every check adds lines, one JSON object each."""

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
    """Yield a line for each usable profile of each artifact; for an artifact without one, a line without latency.

    Args:
        subjects: What was checked; what has no file has no line.
        commit: That they were made from, None if unknown.
        date: Of the commit, ISO 8601.
    """
    for each in subjects:
        if each.size_bytes is None:
            continue
        usable: list[Run | None] = [run for run in each.runs if run.unusable is None]
        for run in usable or [None]:
            yield {
                "schema_version": SCHEMA_VERSION,
                "commit": commit,
                "date": date,
                "artifact": each.artifact,
                "variant": each.variant,
                "format": each.format,
                "precision": each.precision,
                "target": each.target,
                "size_bytes": each.size_bytes,
                "macs": each.macs,
                "parameters": each.parameters,
                "agreement": each.agreement,
                "top1": each.top1,
                "host": run and run.host,
                "threads": run and run.threads,
                "median_ms": run and run.median_ms,
                "peak_rss_bytes": run and run.memory_bytes,
            }


def append(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """Add lines to a file, all of them or, where the disk is full, none.

    Raises:
        InputError: The file cannot be read or written, or its last line is no JSON object.
    """
    before = files.read_bytes(path) if path.exists() else b""
    if before.strip():
        _check(path, before.splitlines()[-1])
        before = before if before.endswith(b"\n") else before + b"\n"
    added = "".join(json.dumps(each) + "\n" for each in lines)
    # Written anew, beside the old one: a line is never there in part.
    files.write_bytes(path, before + added.encode())


def _check(path: Path, line: bytes) -> None:
    try:
        sound = isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        sound = False
    if not sound:
        raise InputError(f"the last line of {path} is no JSON object, so it is no history; choose another file")
