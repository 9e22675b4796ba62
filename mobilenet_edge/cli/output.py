"""Where the records of a verb go: to people as text, to machines as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from mobilenet_edge.records import Record


def try_json(json: str | None) -> None:
    """Fail before the measuring where its records could not be written."""
    from mobilenet_edge import files

    if json not in (None, "-"):
        files.try_file(Path(str(json)))


def output(made: Sequence[Record], json: str | None, text: Any) -> None:
    """Print records as text; with --json FILE write them too, with --json - print them instead."""
    from mobilenet_edge import records

    if json == "-":
        typer.echo(records.dumps(made), nl=False)
        return
    if json is not None:
        records.write(Path(json), made)
    typer.echo(text(made))
