"""Verbs that put results side by side: table, sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_edge.cli.app import app
from mobilenet_edge.cli.choices import TableFormat
from mobilenet_edge.cli.options import RESULTS, WEIGHTS_HELP, Out


@app.command()
def table(
    records: Annotated[list[Path], typer.Argument(metavar="RECORDS...", help="Files of --json, or folders of them.")],
    format: Annotated[TableFormat, typer.Option(help="For reading, or for machines.")] = TableFormat.markdown,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it here.", show_default="stdout")] = None,
) -> None:
    """Join records into a tradeoff table."""
    from mobilenet_edge import files
    from mobilenet_edge.commands import table as command

    text = command.run(records, format)
    if out is None:
        typer.echo(text)
    else:
        files.write_text(out, text + "\n")


@app.command()
def sweep(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="The grid; see configs/.", show_default=False)],
    weights: Annotated[str | None, typer.Option(help=WEIGHTS_HELP, show_default="the file's")] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Images to calibrate with and to score.", show_default="the file's"),
    ] = None,
    out: Out = RESULTS,
) -> None:
    """Build, export, profile and tabulate a whole grid."""
    from mobilenet_edge.commands import sweep as command

    typer.echo(command.run(config, weights=weights, data=data, out=out))
