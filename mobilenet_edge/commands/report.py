"""`mnet report`: records as a table, as pictures, and as one page to look around in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mobilenet_edge import files
from mobilenet_edge.commands import sources
from mobilenet_edge.errors import InputError
from mobilenet_edge.report import summary
from mobilenet_edge.report.html import document, timeline
from mobilenet_edge.report.html.pictures import KINDS, NAMES, pictures
from mobilenet_edge.report.html.timeline import Entry
from mobilenet_edge.report.rows import Row, join

HISTORY: Final = ".jsonl"
TABLES: Final = {"tradeoff.md": summary.markdown, "tradeoff.csv": summary.csv, "tradeoff.json": summary.json}
PAGE: Final = "report.html"


def run(paths: Sequence[Path], out: Path) -> list[Path]:
    """Write the report; pictures of an earlier one for which there is nothing to draw now are removed.

    Args:
        paths: Files that `--json` wrote, histories of `mnet check --record` (.jsonl), and folders of both.
        out: Folder for the files.

    Returns:
        The files written, the page first.

    Raises:
        MissingExtraError: A package that draws is not installed.
        InputError: A file cannot be read, written, or holds something else, or there is nothing to report.
    """
    document.check_packages()
    files.try_folder(out)
    entries = _history(paths)
    rows = join(sources.read([path for path in paths if path.suffix != HISTORY]))
    if not rows and not entries:
        places = ", ".join(str(path) for path in paths)
        raise InputError(
            f"no profile, no evaluation and no history in {places}; make some with: mnet sweep CONFIG.toml"
        )
    made = dict(_made(rows, entries))
    files.write_together({out / name: data for name, data in made.items()})
    for name in {f"{name}.{kind}" for name in NAMES for kind in KINDS} - made.keys():
        (out / name).unlink(missing_ok=True)
    return [out / name for name in made]


def _made(rows: Sequence[Row], entries: Sequence[Entry]) -> list[tuple[str, bytes]]:
    tables = [(name, f"{write(rows)}\n".encode()) for name, write in TABLES.items()] if rows else []
    return [(PAGE, document.html(rows, entries).encode()), *tables, *pictures(rows, entries)]


def _history(paths: Sequence[Path]) -> list[Entry]:
    own = [each for path in paths for each in (sorted(path.glob(f"*{HISTORY}")) if path.is_dir() else [path])]
    return [entry for path in dict.fromkeys(own) if path.suffix == HISTORY for entry in timeline.read(path)]
