"""Read the record files given to a command, and folders of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from mobilenet_edge import files, records
from mobilenet_edge.records import Record


def read(paths: Sequence[Path]) -> list[Record]:
    """Read the records of files written by `--json`, and of folders of them.

    Tables and checks in a folder are skipped. Each file is read once.

    Raises:
        InputError: A file cannot be read or holds no records.
    """
    return [
        record
        for file in dict.fromkeys(file for path in paths for file in _files(path))
        for record in records.read(file)
    ]


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from (file for file in sorted(path.glob("*.json")) if not _is_table(file))


def _is_table(path: Path) -> bool:
    try:
        data = json.loads(files.read_bytes(path))
    except ValueError:
        return False
    return isinstance(data, dict) and ("tables" in data or data.get("kind") == "check")
