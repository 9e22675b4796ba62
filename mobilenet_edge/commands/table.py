"""`mnet table`: records of any verb and machine, side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from mobilenet_edge import files, records
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.report import table
from mobilenet_edge.report.rows import Row, join

FORMATS: Final[Mapping[str, Callable[[Sequence[Row]], str]]] = {
    "markdown": table.markdown,
    "csv": table.csv,
    "json": table.json,
}


def run(paths: Sequence[Path], format: str = "markdown") -> str:
    """Join the records of files into a tradeoff table.

    Args:
        paths: Files that `--json` wrote, and folders of such files; tables of this command in a folder are passed over.
        format: A key of `FORMATS`.

    Returns:
        The table, without a final line break.

    Raises:
        UsageError: There is no such format.
        InputError: A file cannot be read or holds something else, or there is nothing to tabulate.
    """
    if format not in FORMATS:
        raise UsageError(f"no table format is called {format!r}; there are {', '.join(FORMATS)}")
    # A folder and a file in it may both be given.
    sources = dict.fromkeys(file for path in paths for file in _files(path))
    rows = join(record for file in sources for record in records.read(file))
    if not rows:
        places = ", ".join(str(path) for path in paths)
        raise InputError(f"no profile and no evaluation in {places}; make some with: mnet profile ARTIFACT --json FILE")
    return FORMATS[format](rows)


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from (each for each in sorted(path.glob("*.json")) if not _is_table(each))


def _is_table(path: Path) -> bool:
    try:
        data = json.loads(files.read_bytes(path))
    except ValueError:
        return False
    return isinstance(data, dict) and "tables" in data
