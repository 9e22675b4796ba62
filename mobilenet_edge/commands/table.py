"""`mnet table`: join the records of any command and machine in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from mobilenet_edge.commands import sources
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.report import scaling, summary
from mobilenet_edge.report.rows import Row, join
from mobilenet_edge.report.scaling import Scaling

FORMATS: Final[Mapping[str, Callable[[Sequence[Row]], str]]] = {
    "markdown": summary.markdown,
    "csv": summary.csv,
    "json": summary.json,
}
SCALING_FORMATS: Final[Mapping[str, Callable[[Sequence[Scaling]], str]]] = {
    "markdown": scaling.text,
    "json": scaling.json,
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


def run_scaling(paths: Sequence[Path], format: str = "markdown") -> str:
    """Compare what alpha and rho save in multiplications with what they save in time.

    Args:
        paths: As for `run`.
        format: Key of `SCALING_FORMATS`.

    Returns:
        Tables, without a final line break.

    Raises:
        UsageError: There is no such format.
        InputError: As `rows` says, or no two measured MobileNets differ in alpha or rho alone.
    """
    if format not in SCALING_FORMATS:
        raise UsageError(f"--scaling cannot be written as {format}; give --format {' or '.join(SCALING_FORMATS)}")
    found = scaling.scalings(rows(paths))
    if not found:
        raise InputError(
            "no two measured MobileNets differ in alpha or rho alone; measure a grid with: mnet sweep CONFIG.toml"
        )
    return SCALING_FORMATS[format](found)


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
