"""Verbs that measure, and that see to the machines: evaluate, profile, compare, setup-host, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_edge.cli.app import app
from mobilenet_edge.cli.choices import ComparisonFormat, RuntimeOption
from mobilenet_edge.cli.flags import (
    HERE,
    Artifacts,
    Colour,
    Columns,
    Crop,
    Dask,
    Devices,
    Filter,
    Fit,
    Hosts,
    Json,
    Labels,
    Notes,
    Pixels,
    Threads,
    Wide,
)
from mobilenet_edge.cli.output import WHOLE, output, remark, saver, show, try_json
from mobilenet_edge.cli.terminal import View


@app.command()
def evaluate(
    artifacts: Artifacts,
    data: Annotated[Path, typer.Option(metavar="DIR", help="Images in a folder for each class.", show_default=False)],
    labels: Labels = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Which labels each image has, as CSV or JSON, in place of class folders; see docs/accuracy.md.",
            show_default="truth.csv or truth.json, if any",
        ),
    ] = None,
    reference: Annotated[
        Path | None, typer.Option(metavar="MODEL", help="A float model to agree with.", show_default=False)
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads within one inference.")] = 1,
    limit: Annotated[int | None, typer.Option(help="Score at most this many images.", show_default=False)] = None,
    leave_out: Annotated[
        int, typer.Option(min=0, metavar="N", help="Do not score the images that export --count N took.")
    ] = 0,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that read images, each with the models open.", show_default="cores"),
    ] = None,
    dask: Dask = None,
    pixels: Pixels = None,
    colour: Colour = None,
    fit: Fit = None,
    crop: Crop = None,
    filter: Filter = None,
    json: Json = None,
) -> None:
    """Score models on images: top-1, several labels, agreement with float."""
    from mobilenet_edge.data.options import PixelOptions
    from mobilenet_edge.evaluation import evaluate as evaluation
    from mobilenet_edge.report import accuracy
    from mobilenet_edge.report import pixels as pixels_report

    try_json(json)
    records = evaluation.evaluate(
        artifacts,
        data,
        labels=labels,
        truth=truth,
        reference=reference,
        threads=threads,
        limit=limit,
        leave_out=leave_out,
        jobs=jobs,
        dask=dask,
        options=PixelOptions(pixels, colour, fit, crop, filter),
    )
    remark(pixels_report.of_evaluations(records))
    output(records, json, accuracy.table)


@app.command()
def profile(
    artifacts: Artifacts,
    threads: Threads = None,
    runs: Annotated[int, typer.Option(help="At least this many steady runs.")] = 50,
    seconds: Annotated[float, typer.Option(help="At least this many steady seconds.")] = 1.0,
    rounds: Annotated[int, typer.Option(help="Fresh processes for each file, interleaved.")] = 3,
    max_seconds: Annotated[float, typer.Option(help="But no more steady seconds for a file.")] = 60.0,
    until: Annotated[
        str | None,
        typer.Option(metavar="2%", help="More rounds until the median is known to ± this share.", show_default=False),
    ] = None,
    sustain: Annotated[
        str | None, typer.Option(metavar="10m", help="One long run a file, reported by the minute.", show_default=False)
    ] = None,
    rate: Annotated[
        str | None, typer.Option(metavar="5/s", help="Start runs at this pace.", show_default="as fast as can be")
    ] = None,
    cooldown: Annotated[str, typer.Option(metavar="2s", help="Pause between processes.")] = "0s",
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Feed images, up to 8 of these.", show_default="noise")
    ] = None,
    runtime: Annotated[RuntimeOption, typer.Option(help="What runs the files.")] = RuntimeOption.auto,
    delegate: Annotated[
        str | None, typer.Option(metavar="PATH", help="TFLite delegate, on the device.", show_default=False)
    ] = None,
    delegate_option: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="For it; repeatable.", show_default=False)
    ] = None,
    affinity: Annotated[
        list[int] | None, typer.Option(help="Run on this CPU only; repeatable.", show_default=False)
    ] = None,
    ops: Annotated[bool, typer.Option("--ops", help="Time every operator, too.")] = False,
    limit: Annotated[bool, typer.Option(help="Measure what a matrix product reaches here, too.")] = True,
    host: Hosts = None,
    devices: Devices = None,
    pixels: Pixels = None,
    colour: Colour = None,
    fit: Fit = None,
    crop: Crop = None,
    filter: Filter = None,
    json: Json = None,
    wide: Wide = False,
    columns: Columns = None,
    notes: Notes = False,
) -> None:
    """Measure latency, memory and size, here and on devices."""
    from mobilenet_edge import units
    from mobilenet_edge.data.options import PixelOptions
    from mobilenet_edge.profiling import latency, targets
    from mobilenet_edge.profiling.settings import Delegate, Plan
    from mobilenet_edge.records.failure import exit_code
    from mobilenet_edge.report import profiles

    try_json(json)
    plan = Plan(
        runs=runs,
        seconds=seconds,
        max_seconds=max_seconds,
        rounds=rounds,
        runtime=runtime,
        affinity=tuple(affinity or ()),
        delegate=Delegate.parse(delegate, delegate_option or ()),
        until=None if until is None else units.parse_share(until),
        sustain_seconds=None if sustain is None else units.parse_seconds(sustain),
        rate=None if rate is None else units.parse_rate(rate),
        cooldown_seconds=units.parse_seconds(cooldown),
        ops=ops,
        limit=limit,
    )
    machines = targets.find(host or HERE, devices)
    records = latency.profile(
        artifacts,
        plan,
        threads=threads or (1,),
        machines=machines,
        images=images,
        options=PixelOptions(pixels, colour, fit, crop, filter),
        save=saver(json),
    )
    output(records, json, profiles.text, View.of(wide, columns, notes))
    raise typer.Exit(exit_code(records))


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="BEFORE.json", help="Profiles, of --json.", show_default=False)],
    after: Annotated[Path, typer.Argument(metavar="AFTER.json", help="The same measured again.", show_default=False)],
    anyway: Annotated[bool, typer.Option("--anyway", help="Compare what was measured differently, too.")] = False,
    format: Annotated[ComparisonFormat, typer.Option(help="For reading, or for machines.")] = ComparisonFormat.text,
) -> None:
    """Say what became faster or slower between two measurements."""
    from mobilenet_edge.commands import compare as command
    from mobilenet_edge.report import comparison

    write = {"text": comparison.text, "markdown": comparison.markdown, "json": comparison.json}
    text = write[format](command.run(before, after, anyway=anyway))
    show(text, WHOLE if format is ComparisonFormat.text else None)


@app.command(name="setup-host")
def setup_host(
    host: Annotated[str, typer.Argument(metavar="HOST", help="Of the devices file, or user@host.", show_default=False)],
    packages: Annotated[
        list[str] | None, typer.Argument(metavar="PACKAGE...", help="For pip.", show_default="what fits the device")
    ] = None,
    devices: Devices = None,
) -> None:
    """Install on a device what measuring needs."""
    from mobilenet_edge.commands import setup_host as command
    from mobilenet_edge.profiling import targets

    (machine,) = targets.find([host], devices)
    installed = command.run(machine.host, packages or ())
    show("\n".join([installed.executable, *(f"{name} {version}" for name, version in installed.packages.items())]))


@app.command()
def doctor(
    host: Hosts = None,
    devices: Devices = None,
    json: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE|-", help="Write the findings as JSON; - is stdout.", show_default=False),
    ] = None,
) -> None:
    """Say what a machine can run, and what it lacks."""
    from mobilenet_edge.commands import doctor as command
    from mobilenet_edge.profiling import targets
    from mobilenet_edge.report import diagnosis

    try_json(json)
    reports = command.run([machine.host for machine in targets.find(host or HERE, devices)])
    output(reports, json, diagnosis.text)
    raise typer.Exit(command.exit_code(reports))
