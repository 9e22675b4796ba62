"""Print the result of a verb as text, or write its records as JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from mobilenet_edge.cli import verbosity
from mobilenet_edge.cli.terminal import View, choose, lay_out
from mobilenet_edge.errors import InputError
from mobilenet_edge.text import printable_lines

if TYPE_CHECKING:
    from mobilenet_edge.records import Record
    from mobilenet_edge.report.rows import Row

# View of verbs without the options --wide, --columns and --notes.
FULL_VIEW: Final = View(notes=True, drop=False)
MAX_WIDTH: Final = 10_000


def show(text: object, view: View | None = FULL_VIEW) -> None:
    """Print a result without control characters; all output to stdout goes through here.

    Args:
        text: A report in Markdown, or plain text. On a terminal its tables are fitted to the width.
        view: The part of the tables to show; None for machine-readable text, which is printed unchanged.
    """
    printable = printable_lines(str(text))
    if view is None or not sys.stdout.isatty():
        typer.echo(choose(printable, view.columns if view else ()))
        return
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False, width=MAX_WIDTH if view.wide else None)
    for block in lay_out(printable, view, console.width):
        console.print(block)


def chart(rows: Callable[[], Sequence[Row]]) -> None:
    """Draw rows of the tradeoff table on a terminal, where plotext is installed; nothing with -q or in a pipe."""
    if verbosity.is_quiet() or not sys.stdout.isatty():
        return
    from shutil import get_terminal_size

    from mobilenet_edge.report import scatter

    if text := scatter.text(rows(), get_terminal_size().columns):
        show(f"\n{text}", None)


def remark(text: str) -> None:
    """Print what is no result but has to be known, to stderr; nothing with -q or where there is nothing to say."""
    if text and not verbosity.is_quiet():
        typer.echo(printable_lines(text), err=True)


def try_json(json: str | None) -> None:
    """Fail before a measurement if its records could not be written.

    Raises:
        InputError: The folder does not exist or cannot be written.
    """
    from mobilenet_edge import files

    if json in (None, "-"):
        return
    path = Path(str(json))
    folder = path.absolute().parent
    # New folders are created only below the current one, so that a misspelt path creates none elsewhere.
    if not folder.is_dir() and Path.cwd() not in folder.resolve().parents:
        raise InputError(f"cannot write {path}: there is no folder {folder}; create it first, or give an existing one")
    files.try_file(path)


def saver(json: str | None) -> Callable[[Sequence[Record]], None]:
    """Return a function that writes the records so far, for a verb that may be interrupted."""

    def save(records: Sequence[Record]) -> None:
        from mobilenet_edge.records import write

        if json not in (None, "-"):
            write(Path(str(json)), records)

    return save


def document(
    text: Callable[[], str], values: Callable[[], str], json: str | None, view: View | None = FULL_VIEW
) -> None:
    """Print a report, or its values as JSON for `--json -`; `--json FILE` also writes them.

    Args:
        text: Makes the report in Markdown, where it is shown.
        values: Makes the same as a JSON document, where it is asked for.
        json: Value of --json, None without the option.
        view: The part of the tables to show; None for machine-readable text.
    """
    from mobilenet_edge import files

    if json == "-":
        show(values(), None)
        return
    if json is not None:
        files.write_text(Path(json), values() + "\n")
    show(text(), view)


def output(records: Sequence[Any], json: str | None, text: Any, view: View = FULL_VIEW) -> None:
    """Print records as `document` does.

    Args:
        records: Records, or other objects with `to_dict`.
        json: Value of --json, None without the option.
        text: Function from the records to a report.
        view: The part of the tables to show.
    """
    from mobilenet_edge.records import dumps

    document(lambda: text(records), lambda: dumps(records).removesuffix("\n"), json, view)
