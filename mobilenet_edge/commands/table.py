"""`mnet table`: join the records of any command and machine in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from mobilenet_edge.commands import sources
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.report import summary
from mobilenet_edge.report.rows import Row, join

FORMATS: Final[Mapping[str, Callable[[Sequence[Row]], str]]] = {
    "markdown": summary.markdown,
    "csv": summary.csv,
    "json": summary.json,
}


def run(paths: Sequence[Path], format: str = "markdown") -> str:
    """Join the records of files into a tradeoff table.

    Args:
        paths: Files written by `--json`, and folders of them; tables in a folder are skipped.
        format: Key of `FORMATS`.

    Returns:
        Table, without a final line break.

    Raises:
        UsageError: There is no such format.
        InputError: A file cannot be read or holds no records, or there is nothing to tabulate.
    """
    if format not in FORMATS:
        raise UsageError(f"unknown table format {format!r}; known: {', '.join(FORMATS)}")
    return FORMATS[format](rows(paths))


def rows(paths: Sequence[Path]) -> list[Row]:
    """Join the records of files into rows.

    Raises:
        InputError: A file cannot be read or holds no records, or there is nothing to tabulate.
    """
    joined = join(sources.read(paths))
    if not joined:
        places = ", ".join(str(path) for path in paths)
        raise InputError(f"no profile and no evaluation in {places}; measure with: mnet profile ARTIFACT --json FILE")
    return joined
