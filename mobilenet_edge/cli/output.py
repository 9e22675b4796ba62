"""Where the records of a verb go: to people as text, to machines as JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from mobilenet_edge.cli.terminal import View, choose, lay_out
from mobilenet_edge.errors import InputError
from mobilenet_edge.text import printable_lines

if TYPE_CHECKING:
    from mobilenet_edge.records import Record

# For verbs without the options of a view.
WHOLE: Final = View(notes=True, drop=False)
WIDEST: Final = 10_000


def show(text: object, view: View | None = WHOLE) -> None:
    """Print a result; the one way to stdout, so that no name in a file can say anything to the terminal but itself.

    Args:
        text: A report in Markdown, or plain text. A terminal gets its tables in the width that it has.
        view: What of the tables is shown; None for what machines read, which is printed as it is.
    """
    printable = printable_lines(str(text))
    if view is None or not sys.stdout.isatty():
        typer.echo(choose(printable, view.columns if view else ()))
        return
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False, width=WIDEST if view.wide else None)
    for block in lay_out(printable, view, console.width):
        console.print(block)


def remark(text: str) -> None:
    """Print what is no result but has to be known, to stderr; nothing where there is nothing to say."""
    if text:
        typer.echo(printable_lines(text), err=True)


def try_json(json: str | None) -> None:
    """Fail before the measuring where its records could not be written."""
    from mobilenet_edge import files

    if json in (None, "-"):
        return
    path = Path(str(json))
    folder = path.absolute().parent
    # A slip of the pen must not leave a trail of folders elsewhere.
    if not folder.is_dir() and Path.cwd() not in folder.resolve().parents:
        raise InputError(
            f"cannot write {path}: there is no folder {folder}; make it first, or write into one that exists"
        )
    files.try_file(path)


def saver(json: str | None) -> Callable[[Sequence[Record]], None]:
    """Return what writes the records there are so far, for a verb that may end before it has all."""

    def save(made: Sequence[Record]) -> None:
        from mobilenet_edge import records

        if json not in (None, "-"):
            records.write(Path(str(json)), made)

    return save


def output(made: Sequence[Any], json: str | None, text: Any, view: View = WHOLE) -> None:
    """Print records, or what has a `to_dict` like them, as text.

    With --json FILE they are written too, with --json - printed instead.
    """
    from mobilenet_edge import records

    if json == "-":
        show(records.dumps(made).removesuffix("\n"), None)
        return
    if json is not None:
        records.write(Path(json), made)
    show(text(made), view)
