"""Verbs that measure, and that see to the machines: evaluate, profile, compare, setup-host, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_edge.cli.app import app
from mobilenet_edge.cli.choices import ComparisonFormat, Runtime
from mobilenet_edge.cli.options import HERE, Artifacts, Dask, Devices, Hosts, Json, Labels, Threads
from mobilenet_edge.cli.output import output, saver, show, try_json


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
    json: Json = None,
) -> None:
    """Score models on images: top-1, several labels, agreement with float."""
    from mobilenet_edge.commands import evaluate as command
    from mobilenet_edge.report import scores

    try_json(json)
    made = command.run(
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
    )
    output(made, json, scores.table)


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
    runtime: Annotated[Runtime, typer.Option(help="What runs the files.")] = Runtime.auto,
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
    json: Json = None,
) -> None:
    """Measure latency, memory and size, here and on devices."""
    from mobilenet_edge import units
    from mobilenet_edge.commands import profile as command
    from mobilenet_edge.commands import reach
    from mobilenet_edge.report import profiles

    try_json(json)
    plan = command.Plan(
        runs=runs,
        seconds=seconds,
        max_seconds=max_seconds,
        rounds=rounds,
        runtime=runtime,
        affinity=tuple(affinity or ()),
        delegate=command.Delegate.parse(delegate, delegate_option or ()),
        until=None if until is None else units.parse_share(until),
        sustain_seconds=None if sustain is None else units.parse_seconds(sustain),
        rate=None if rate is None else units.parse_rate(rate),
        cooldown_seconds=units.parse_seconds(cooldown),
        ops=ops,
        limit=limit,
    )
    targets = reach.targets(host or HERE, devices)
    made = command.run(artifacts, plan, threads=threads or (1,), targets=targets, images=images, save=saver(json))
    output(made, json, profiles.text)
    raise typer.Exit(command.exit_code(made))


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
    show(write[format](command.run(before, after, anyway=anyway)))


@app.command(name="setup-host")
def setup_host(
    host: Annotated[str, typer.Argument(metavar="HOST", help="Of the devices file, or user@host.", show_default=False)],
    packages: Annotated[
        list[str] | None, typer.Argument(metavar="PACKAGE...", help="For pip.", show_default="what fits the device")
    ] = None,
    devices: Devices = None,
) -> None:
    """Install on a device what measuring needs."""
    from mobilenet_edge.commands import reach
    from mobilenet_edge.commands import setup_host as command

    (target,) = reach.targets([host], devices)
    made = command.run(target.host, packages or ())
    show("\n".join([made.executable, *(f"{name} {version}" for name, version in made.packages.items())]))


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
    from mobilenet_edge.commands import reach
    from mobilenet_edge.report import health

    try_json(json)
    reports = command.run([target.host for target in reach.targets(host or HERE, devices)])
    output(reports, json, health.text)
    raise typer.Exit(command.exit_code(reports))
