"""`mnet report`: write records as tables, charts and an interactive page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from mobilenet_edge import files
from mobilenet_edge.commands import sources
from mobilenet_edge.errors import InputError
from mobilenet_edge.records import Export, Training
from mobilenet_edge.report import summary
from mobilenet_edge.report.html import curves, cuts, document, gallery, timeline
from mobilenet_edge.report.html.pictures import FORMATS, NAMES, pictures
from mobilenet_edge.report.html.timeline import Entry
from mobilenet_edge.report.rows import Row, join

HISTORY: Final = ".jsonl"
TABLES: Final = {"tradeoff.md": summary.markdown, "tradeoff.csv": summary.csv, "tradeoff.json": summary.json}
PAGE: Final = "report.html"


def run(paths: Sequence[Path], out: Path, images: Path | None = None) -> list[Path]:
    """Write the report, and remove charts of an earlier report that no longer have data.

    Args:
        paths: Files written by `--json`, histories of `mnet check --record` (.jsonl), and folders of both.
        out: Folder for the files.
        images: Folder of the scored images; the page then shows those whose answers changed.

    Returns:
        Written files, the page first.

    Raises:
        MissingExtraError: A package for the charts is not installed.
        InputError: A file cannot be read or written, or holds no records, or there is nothing to report, or `images`
            has none of the changed pictures.
    """
    document.check_packages()
    files.try_folder(out)
    entries = _history(paths)
    records = sources.read([path for path in paths if path.suffix != HISTORY])
    rows, runs, exports = join(records), curves.select(records), cuts.select(records)
    if not rows and not entries and not runs and not any(export.division or export.losses for export in exports):
        places = ", ".join(str(path) for path in paths)
        raise InputError(
            f"no profile, evaluation, training or history in {places}; create them with: mnet sweep CONFIG.toml"
        )
    scored = [row.evaluation for row in rows if row.evaluation]
    shown = {} if images is None else gallery.thumbnails(scored, images)
    contents = dict(_contents(rows, entries, runs, exports, shown))
    files.write_together({out / name: data for name, data in contents.items()})
    for name in {f"{name}.{format}" for name in NAMES for format in FORMATS} - contents.keys():
        (out / name).unlink(missing_ok=True)
    return [out / name for name in contents]


def _contents(
    rows: Sequence[Row],
    entries: Sequence[Entry],
    runs: Sequence[Training],
    exports: Sequence[Export],
    shown: Mapping[str, str],
) -> list[tuple[str, bytes]]:
    tables = [(name, f"{write(rows)}\n".encode()) for name, write in TABLES.items()] if rows else []
    page = document.html(rows, entries, shown, runs, exports).encode()
    return [(PAGE, page), *tables, *pictures(rows, entries, runs)]


def _history(paths: Sequence[Path]) -> list[Entry]:
    expanded = [file for path in paths for file in (sorted(path.glob(f"*{HISTORY}")) if path.is_dir() else [path])]
    return [entry for path in dict.fromkeys(expanded) if path.suffix == HISTORY for entry in timeline.read(path)]
