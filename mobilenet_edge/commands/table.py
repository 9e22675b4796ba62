"""`mnet table`: records of any verb and machine, side by side."""

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
    rows = join(sources.read(paths))
    if not rows:
        places = ", ".join(str(path) for path in paths)
        raise InputError(f"no profile and no evaluation in {places}; make some with: mnet profile ARTIFACT --json FILE")
    return FORMATS[format](rows)
