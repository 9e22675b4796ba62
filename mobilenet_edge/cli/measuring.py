"""Define the verbs that measure models and prepare machines: evaluate, profile, compare, setup-host, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_edge.cli.app import Verb, app, examples
from mobilenet_edge.cli.choices import ComparisonFormat, RuntimeOption
from mobilenet_edge.cli.flags import (
    DEVICE,
    LOCAL,
    OUTPUT,
    Artifacts,
    Colour,
    Columns,
    Crop,
    Dask,
    DelegateOptions,
    DelegatePath,
    Devices,
    Filter,
    Fit,
    Host,
    Hosts,
    Json,
    Labels,
    Notes,
    Pixels,
    Provider,
    Threads,
    Wide,
)
from mobilenet_edge.cli.output import FULL_VIEW, document, output, remark, saver, show, try_json
from mobilenet_edge.cli.terminal import View

# Section of the help for options that control the runs of a profile.
RUNS = "Runs"


@app.command(
    cls=Verb,
    epilog=examples(
        "mnet evaluate results/ --data photos/ --json accuracy.json",
        "mnet evaluate model-int8.tflite --data photos/ --reference model.keras",
        "mnet evaluate model-int8.tflite --data photos/ --host pi@raspberrypi.local",
    ),
)
def evaluate(
    artifacts: Artifacts,
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of images, with a subfolder per class.", show_default=False)
    ],
    labels: Labels = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="CSV or JSON file with the labels of each image, instead of subfolders; see docs/evaluation.md.",
            show_default="truth.csv or truth.json, if any",
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(metavar="MODEL", help="Float model to compare the answers with.", show_default=False),
    ] = None,
    threads: Annotated[int, typer.Option(help="Number of threads within one inference.")] = 1,
    limit: Annotated[int | None, typer.Option(help="Score at most this many images.", show_default=False)] = None,
    leave_out: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Skip the images that export --count N calibrates with."),
    ] = 0,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Number of processes that score images, each with the models open.", show_default="cores"
        ),
    ] = None,
    dask: Dask = None,
    host: Host = "local",
    runtime: Annotated[
        RuntimeOption, typer.Option(help="Runtime that runs the files.", rich_help_panel=DEVICE)
    ] = RuntimeOption.auto,
    delegate: DelegatePath = None,
    delegate_option: DelegateOptions = None,
    provider: Provider = None,
    devices: Devices = None,
    pixels: Pixels = None,
    colour: Colour = None,
    fit: Fit = None,
    crop: Crop = None,
    filter: Filter = None,
    details: Annotated[
        bool,
        typer.Option("--details", help="Also list every class and the changed answers.", rich_help_panel=OUTPUT),
    ] = False,
    json: Json = None,
) -> None:
    """Score models on images: top-1, multi-label, agreement.

    The agreement is the share of images with the same answer as the --reference model. Differences from it, and from
    the float32 file of the same model, are tested. On another host or runtime, answers are also compared with those of
    this machine.
    """
    from functools import partial

    from mobilenet_edge.data.pixel_options import PixelOptions
    from mobilenet_edge.evaluation import evaluate as evaluation
    from mobilenet_edge.hosts.place import Delegate
    from mobilenet_edge.profiling import targets
    from mobilenet_edge.report import accuracy
    from mobilenet_edge.report import preprocessing as pixels_report

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
        place=targets.place(host, devices, runtime, Delegate.parse(delegate, delegate_option or (), provider)),
    )
    remark(pixels_report.of_records(records))
    output(records, json, partial(accuracy.table, details=details))


@app.command(
    cls=Verb,
    epilog=examples(
        "mnet profile results/ --threads 1 --threads 4 --json profile.json",
        "mnet profile model.tflite --host pi@raspberrypi.local --ops",
        "mnet profile model.onnx --runtime onnxruntime --runtime openvino",
        "mnet profile model.tflite --end-to-end photos",
    ),
)
def profile(
    artifacts: Artifacts,
    threads: Threads = None,
    runtime: Annotated[
        list[RuntimeOption] | None,
        typer.Option(help="Runtime that runs the files; repeat it to compare several.", show_default="auto"),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Run on up to 8 images of this folder.", show_default="noise"),
    ] = None,
    end_to_end: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Also time up to 20 pictures of this folder from file to answer, each part apart.",
            show_default=False,
        ),
    ] = None,
    ops: Annotated[bool, typer.Option("--ops", help="Also time each operator.")] = False,
    processes: Annotated[
        int | None,
        typer.Option(help="Also measure the throughput of this many processes at once.", show_default=False),
    ] = None,
    energy: Annotated[
        bool, typer.Option("--energy", help="Also measure the energy of an inference, where the machine tells it.")
    ] = False,
    power: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also measure the energy, by the log of a meter: CSV with the columns time and watts.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[bool, typer.Option(help="Also measure the peak rate of matrix products on the machine.")] = True,
    runs: Annotated[int, typer.Option(help="Minimum number of runs in the steady phase.", rich_help_panel=RUNS)] = 50,
    seconds: Annotated[
        float, typer.Option(help="Minimum duration of the steady phase, in seconds.", rich_help_panel=RUNS)
    ] = 1.0,
    max_seconds: Annotated[
        float, typer.Option(help="Maximum steady time of a file in all rounds, in seconds.", rich_help_panel=RUNS)
    ] = 60.0,
    rounds: Annotated[
        int,
        typer.Option(help="Number of processes per file, interleaved with other files.", rich_help_panel=RUNS),
    ] = 3,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="2%",
            help="Add rounds until the median is known to within ± this percentage.",
            show_default=False,
            rich_help_panel=RUNS,
        ),
    ] = None,
    sustain: Annotated[
        str | None,
        typer.Option(
            metavar="10m",
            help="Run each file once for this time, and report every minute.",
            show_default=False,
            rich_help_panel=RUNS,
        ),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(
            metavar="5/s", help="Start runs at this rate.", show_default="without a pause", rich_help_panel=RUNS
        ),
    ] = None,
    cooldown: Annotated[str, typer.Option(metavar="2s", help="Pause between processes.", rich_help_panel=RUNS)] = "0s",
    affinity: Annotated[
        list[int] | None,
        typer.Option(help="Number of a CPU to run on; repeatable.", show_default="all CPUs", rich_help_panel=DEVICE),
    ] = None,
    delegate: DelegatePath = None,
    delegate_option: DelegateOptions = None,
    provider: Provider = None,
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
    from mobilenet_edge.hosts.ahead import workers

    # One for the memory, and those of the rounds.
    with workers.block(1 + rounds):
        if "local" in (host or LOCAL):
            workers.start()  # while the rest is imported
        from mobilenet_edge import units
        from mobilenet_edge.data.pixel_options import PixelOptions
        from mobilenet_edge.hosts.place import Delegate
        from mobilenet_edge.profiling import latency, targets
        from mobilenet_edge.profiling.settings import Plan
        from mobilenet_edge.records.failure import exit_code
        from mobilenet_edge.report import profiles

        try_json(json)
        plan = Plan(
            runs=runs,
            seconds=seconds,
            max_seconds=max_seconds,
            rounds=rounds,
            affinity=tuple(affinity or ()),
            delegate=Delegate.parse(delegate, delegate_option or (), provider),
            until=None if until is None else units.parse_share(until),
            sustain_seconds=None if sustain is None else units.parse_seconds(sustain),
            rate=None if rate is None else units.parse_rate(rate),
            cooldown_seconds=units.parse_seconds(cooldown),
            ops=ops,
            processes=processes,
            limit=limit,
            energy=energy or power is not None,
            power=power,
        )
        machines = targets.find(host or LOCAL, devices)
        records = latency.profile(
            artifacts,
            plan,
            threads=threads or (1,),
            runtimes=runtime or (),
            machines=machines,
            images=images,
            end_to_end=end_to_end,
            options=PixelOptions(pixels, colour, fit, crop, filter),
            save=saver(json),
        )
    output(records, json, profiles.text, View.of(wide, columns, notes))
    raise typer.Exit(exit_code(records))


@app.command(cls=Verb, epilog=examples("mnet compare before.json after.json"))
def compare(
    before: Annotated[
        Path,
        typer.Argument(metavar="BEFORE.json", help="Profiles written by profile --json.", show_default=False),
    ],
    after: Annotated[
        Path, typer.Argument(metavar="AFTER.json", help="Later profiles of the same files.", show_default=False)
    ],
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also compare profiles measured under different conditions.")
    ] = False,
    format: Annotated[ComparisonFormat, typer.Option(help="Format of the comparison.")] = ComparisonFormat.text,
    json: Json = None,
) -> None:
    """Show what became faster or slower between two measurements."""
    from mobilenet_edge.commands import compare as command
    from mobilenet_edge.report import comparison

    try_json(json)
    found = command.run(before, after, anyway=anyway)
    is_markdown = format is ComparisonFormat.markdown
    text = comparison.markdown if is_markdown else comparison.text
    document(lambda: text(found), lambda: comparison.json(found), json, None if is_markdown else FULL_VIEW)


@app.command(
    name="setup-host",
    cls=Verb,
    epilog=examples("mnet setup-host pi@raspberrypi.local", "mnet setup-host pi4 onnxruntime"),
)
def setup_host(
    host: Annotated[
        str, typer.Argument(metavar="HOST", help="Name of a device, or user@host for SSH.", show_default=False)
    ],
    packages: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PACKAGE...",
            help="Packages for pip to install.",
            show_default="the runtimes that fit the device",
        ),
    ] = None,
    devices: Devices = None,
) -> None:
    """Install the runtimes on a device, in a virtual environment."""
    from mobilenet_edge.commands import setup_host as command
    from mobilenet_edge.profiling import targets

    (machine,) = targets.find([host], devices)
    installed = command.run(machine.host, packages or ())
    show("\n".join([installed.executable, *(f"{name} {version}" for name, version in installed.packages.items())]))


@app.command(cls=Verb, epilog=examples("mnet doctor", "mnet doctor --host pi@raspberrypi.local"))
def doctor(
    host: Hosts = None,
    devices: Devices = None,
    json: Annotated[
        str | None,
        typer.Option(
            "--json",
            metavar="FILE|-",
            help="Write the findings to this file as JSON; - for stdout.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Show what a machine can run, and what is missing."""
    from mobilenet_edge.commands import doctor as command
    from mobilenet_edge.profiling import targets
    from mobilenet_edge.report import diagnosis

    try_json(json)
    reports = command.run([machine.host for machine in targets.find(host or LOCAL, devices)])
    output(reports, json, diagnosis.text)
    raise typer.Exit(command.exit_code(reports))
