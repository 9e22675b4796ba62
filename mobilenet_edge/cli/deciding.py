"""Verbs that put results side by side: table, report, recommend, sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_edge.cli.app import app
from mobilenet_edge.cli.choices import AdviceFormat, TableFormat
from mobilenet_edge.cli.flags import RESULTS, WEIGHTS_HELP, Columns, Dask, Force, Notes, Out, Wide
from mobilenet_edge.cli.output import WHOLE, show
from mobilenet_edge.cli.terminal import View, choose
from mobilenet_edge.errors import BuildError


@app.command()
def table(
    records: Annotated[list[Path], typer.Argument(metavar="RECORDS...", help="Files of --json, or folders of them.")],
    format: Annotated[
        TableFormat | None,
        typer.Option(help="For reading, or for machines.", show_default="markdown, laid out on a terminal"),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it here.", show_default="stdout")] = None,
    wide: Wide = False,
    columns: Columns = None,
    notes: Notes = False,
) -> None:
    """Join records into a tradeoff table."""
    from mobilenet_edge import files
    from mobilenet_edge.commands import table as command

    text = command.run(records, format or TableFormat.markdown)
    view = View.of(wide, columns, notes)
    if out is not None:
        files.write_text(out, choose(text, view.columns) + "\n")
    elif format is None:
        show(text, view)
    else:
        show(choose(text, view.columns), None)


@app.command()
def report(
    records: Annotated[
        list[Path],
        typer.Argument(metavar="RECORDS...", help="Files of --json, histories (.jsonl), or folders of them."),
    ],
    out: Out = Path("report"),
) -> None:
    """Draw records: pictures, and one page to look around in."""
    from mobilenet_edge.commands import report as command

    for path in command.run(records, out=out):
        show(path)


@app.command()
def recommend(
    records: Annotated[list[Path], typer.Argument(metavar="RECORDS...", help="Files of --json, or folders of them.")],
    max_latency: Annotated[
        str | None, typer.Option(metavar="20ms", help="At most this median latency.", show_default=False)
    ] = None,
    max_size: Annotated[
        str | None, typer.Option(metavar="1.5MB", help="At most so large a file.", show_default=False)
    ] = None,
    max_memory: Annotated[
        str | None, typer.Option(metavar="50MB", help="At most this peak memory.", show_default=False)
    ] = None,
    min_top1: Annotated[
        float | None, typer.Option(metavar="55", help="At least this top-1 in percent.", show_default=False)
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="The machine, where there are several.", show_default=False)
    ] = None,
    format: Annotated[AdviceFormat, typer.Option(help="For reading, or for machines.")] = AdviceFormat.text,
) -> None:
    """Pick the best artifact within limits; say what each costs."""
    from mobilenet_edge import units
    from mobilenet_edge.commands import recommend as command

    limits = command.Limits(
        latency_ms=None if max_latency is None else units.parse_ms(max_latency),
        size_bytes=None if max_size is None else units.parse_bytes(max_size),
        memory_bytes=None if max_memory is None else units.parse_bytes(max_memory),
        top1=min_top1,
    )
    advice = command.run(records, limits, device)
    show(command.FORMATS[format](advice.recommendation, advice.notes), WHOLE if format is AdviceFormat.text else None)
    raise typer.Exit(advice.exit_code)


@app.command()
def sweep(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="The grid; see configs/.", show_default=False)],
    weights: Annotated[str | None, typer.Option(help=WEIGHTS_HELP, show_default="the file's")] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Images to calibrate with and to score.", show_default="the file's"),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes that build and export.", show_default="the cores")
    ] = None,
    dask: Dask = None,
    make_only: Annotated[bool, typer.Option("--make-only", help="Build and export, and measure nothing.")] = False,
    measure: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Profile N variants, predict the rest.", show_default="all"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be done, and why.")] = False,
    out: Out = RESULTS,
    force: Force = False,
    wide: Wide = False,
    columns: Columns = None,
    notes: Notes = False,
) -> None:
    """Build, export, profile and tabulate a whole grid; go on where it was."""
    from mobilenet_edge.commands import sweep as command

    options = command.SweepOptions(
        weights=weights, data=data, jobs=jobs, dask=dask, make_only=make_only, measure=measure, force=force
    )
    if dry_run:
        show(command.preview(config, options, out=out))
        return
    table, failures = command.run(config, options, out=out)
    show(table, View.of(wide, columns, notes))
    if failures:
        raise typer.Exit(BuildError.exit_code)
