"""Define the verbs that combine results: table, report, recommend, sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_edge.cli.app import Verb, app, examples
from mobilenet_edge.cli.choices import TableFormat
from mobilenet_edge.cli.flags import RESULTS, WEIGHTS_HELP, Board, Columns, Dask, Force, Json, Notes, Out, Records, Wide
from mobilenet_edge.cli.output import chart, document, show, try_json
from mobilenet_edge.cli.terminal import View, choose
from mobilenet_edge.errors import BuildError


@app.command(
    cls=Verb,
    epilog=examples(
        "mnet table results/", "mnet table results/ --format csv --out table.csv", "mnet table results/ --scaling"
    ),
)
def table(
    records: Records,
    format: Annotated[
        TableFormat | None,
        typer.Option(help="Format of the table.", show_default="markdown, fitted to a terminal"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table to this file.", show_default="stdout")
    ] = None,
    scaling: Annotated[
        bool,
        typer.Option("--scaling", help="Show what alpha and rho save in multiplications and in time, over a grid."),
    ] = False,
    wide: Wide = False,
    columns: Columns = None,
    notes: Notes = False,
) -> None:
    """Combine records into a table of accuracy, latency and size."""
    from mobilenet_edge import files
    from mobilenet_edge.commands import table as command

    text = (command.run_scaling if scaling else command.run)(records, format or TableFormat.markdown)
    view = View.of(wide, columns, notes)
    if out is not None:
        files.write_text(out, choose(text, view.columns) + "\n")
    elif format is None:
        show(text, view)
        if not scaling:
            chart(lambda: command.rows(records))
    else:
        show(choose(text, view.columns), None)


@app.command(cls=Verb, epilog=examples("mnet report results/ --out report"))
def report(
    records: Annotated[
        list[Path],
        typer.Argument(
            metavar="RECORDS...", help="Records written by --json, histories (.jsonl), or folders of either."
        ),
    ],
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of the scored images, to show those whose answers changed.", show_default=False
        ),
    ] = None,
    out: Out = Path("report"),
) -> None:
    """Draw charts of records, and an interactive HTML page."""
    from mobilenet_edge.commands import report as command

    for path in command.run(records, out=out, images=pictures):
        show(path)


@app.command(
    cls=Verb,
    epilog=examples(
        "mnet recommend results/ --max-latency 20ms --max-size 1.5MB",
        "mnet recommend results/ --min-top1 55 --device pi4",
    ),
)
def recommend(
    records: Records,
    max_latency: Annotated[
        str | None, typer.Option(metavar="20ms", help="Maximum median latency.", show_default=False)
    ] = None,
    max_size: Annotated[
        str | None, typer.Option(metavar="1.5MB", help="Maximum size of the file.", show_default=False)
    ] = None,
    max_memory: Annotated[
        str | None, typer.Option(metavar="50MB", help="Maximum peak memory.", show_default=False)
    ] = None,
    min_top1: Annotated[
        float | None, typer.Option(metavar="55", help="Minimum top-1 accuracy, in percent.", show_default=False)
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Machine to choose for, if the records have several.", show_default=False),
    ] = None,
    board: Board = None,
    json: Json = None,
) -> None:
    """Recommend the best artifact within limits.

    Also shows what each limit costs: what would be best without it.
    """
    from mobilenet_edge import units
    from mobilenet_edge.commands import recommend as command
    from mobilenet_edge.commands import table as tables
    from mobilenet_edge.report import recommendation

    try_json(json)
    limits = command.Limits(
        latency_ms=None if max_latency is None else units.parse_ms(max_latency),
        size_bytes=None if max_size is None else units.parse_bytes(max_size),
        memory_bytes=None if max_memory is None else units.parse_bytes(max_memory),
        top1=min_top1,
    )
    advice = command.run(records, limits, device, board)
    answer = advice.recommendation, advice.notes
    document(lambda: recommendation.text(*answer), lambda: recommendation.json(*answer), json)
    if json != "-":
        chart(lambda: tables.rows(records))
    raise typer.Exit(advice.exit_code)


@app.command(
    cls=Verb,
    epilog=examples("mnet sweep configs/demo.toml --dry-run", "mnet sweep configs/demo.toml --data photos/ --jobs 4"),
)
def sweep(
    config: Annotated[
        Path,
        typer.Argument(metavar="CONFIG.toml", help="File of the grid of variants; mnet init writes one."),
    ] = Path("mnet.toml"),
    weights: Annotated[str | None, typer.Option(help=WEIGHTS_HELP, show_default="as in CONFIG.toml")] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of images for calibration and scoring.", show_default="as in CONFIG.toml"
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Number of processes that build and export.", show_default="number of CPUs"),
    ] = None,
    dask: Dask = None,
    make_only: Annotated[bool, typer.Option("--make-only", help="Build and export without measuring.")] = False,
    measure: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Profile only N variants and predict the latency of the rest.", show_default="all"
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the steps that would run and why, without running them.")
    ] = False,
    out: Out = RESULTS,
    force: Force = False,
    wide: Wide = False,
    columns: Columns = None,
    notes: Notes = False,
) -> None:
    """Build, export, profile and tabulate a grid of variants.

    An interrupted sweep continues where it stopped.
    """
    from mobilenet_edge.commands import sweep as command
    from mobilenet_edge.commands import table as tables

    options = command.SweepOptions(
        weights=weights, data=data, jobs=jobs, dask=dask, make_only=make_only, measure=measure, force=force
    )
    if dry_run:
        show(command.preview(config, options, out=out))
        return
    table, failures = command.run(config, options, out=out)
    show(table, View.of(wide, columns, notes))
    if not make_only:
        chart(lambda: tables.rows([out / command.RECORDS]))
    if failures:
        raise typer.Exit(BuildError.exit_code)
