"""Verbs that measure: evaluate, profile."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_edge.cli.app import app
from mobilenet_edge.cli.choices import Runtime
from mobilenet_edge.cli.options import Artifacts, Json, Labels, Threads
from mobilenet_edge.cli.output import output, try_json


@app.command()
def evaluate(
    artifacts: Artifacts,
    data: Annotated[Path, typer.Option(metavar="DIR", help="Images in a folder for each class.", show_default=False)],
    labels: Labels = None,
    reference: Annotated[
        Path | None, typer.Option(metavar="MODEL", help="A float model to agree with.", show_default=False)
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads within one inference.")] = 1,
    limit: Annotated[int | None, typer.Option(help="Score at most this many images.", show_default=False)] = None,
    leave_out: Annotated[
        int, typer.Option(min=0, metavar="N", help="Do not score the images that export --count N took.")
    ] = 0,
    json: Json = None,
) -> None:
    """Score models on images: top-1, top-5, agreement with float."""
    from mobilenet_edge.commands import evaluate as command
    from mobilenet_edge.report import scores

    try_json(json)
    made = command.run(
        artifacts, data, labels=labels, reference=reference, threads=threads, limit=limit, leave_out=leave_out
    )
    output(made, json, scores.table)


@app.command()
def profile(
    artifacts: Artifacts,
    threads: Threads = None,
    runs: Annotated[int, typer.Option(help="At least this many steady runs.")] = 50,
    seconds: Annotated[float, typer.Option(help="At least this many steady seconds.")] = 1.0,
    rounds: Annotated[int, typer.Option(help="Fresh processes for each file, interleaved.")] = 3,
    runtime: Annotated[Runtime, typer.Option(help="What runs the files.")] = Runtime.auto,
    affinity: Annotated[
        list[int] | None, typer.Option(help="Run on this CPU only; repeatable.", show_default=False)
    ] = None,
    json: Json = None,
) -> None:
    """Measure latency, memory and size on this machine."""
    from mobilenet_edge.commands import profile as command
    from mobilenet_edge.report import rows, table

    try_json(json)
    made = command.run(
        artifacts,
        threads=threads or (1,),
        runs=runs,
        seconds=seconds,
        rounds=rounds,
        runtime=runtime,
        affinity=affinity or (),
    )
    output(made, json, lambda records: table.markdown(rows.join(records)))
