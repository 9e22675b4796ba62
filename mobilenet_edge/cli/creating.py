"""Define the verbs that create and inspect models: plan, build, train, export, inspect."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_edge.cli.app import Verb, app, examples
from mobilenet_edge.cli.choices import Effort, Family, FormatOption, Io, Precision, PreflightOption, TargetOption
from mobilenet_edge.cli.flags import (
    LOCAL,
    RESULTS,
    WEIGHTS_HELP,
    Artifacts,
    Board,
    Colour,
    Crop,
    Devices,
    Filter,
    Fit,
    Force,
    Hosts,
    Json,
    Labels,
    Out,
    Pixels,
    Seed,
)
from mobilenet_edge.cli.output import document, output, remark, show, try_json
from mobilenet_edge.errors import UsageError

# Section of the help for options that only int8 files need.
INT8 = "Options for int8"


@app.command(
    cls=Verb,
    epilog=examples("mnet plan --max-size 1MB --min-top1 55", "mnet plan --alpha 0.5 --rho 160 --layers"),
)
def plan(
    alpha: Annotated[
        list[float] | None, typer.Option(help="Width multiplier, such as 0.5; repeatable.", show_default=False)
    ] = None,
    rho: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PIXELS", help="Side of the input image in pixels, such as 160; repeatable.", show_default=False
        ),
    ] = None,
    layers: Annotated[bool, typer.Option("--layers", help="Show one variant layer by layer.")] = False,
    measure: Annotated[
        bool, typer.Option("--measure", help="With --layers, also time what separable blocks save; takes a minute.")
    ] = False,
    host: Hosts = None,
    devices: Devices = None,
    threads: Annotated[int, typer.Option(help="Number of threads for --measure.")] = 1,
    max_macs: Annotated[
        str | None, typer.Option(metavar="50M", help="Show only variants with at most this many MACs.")
    ] = None,
    max_size: Annotated[
        str | None, typer.Option(metavar="1MB", help="Show only variants with at most this size in int8.")
    ] = None,
    min_top1: Annotated[
        float | None,
        typer.Option(metavar="55", help="Show only variants with at least this published top-1 accuracy, in percent."),
    ] = None,
    classes: Annotated[int, typer.Option(help="Number of classes.")] = 1000,
    family: Annotated[
        list[Family] | None, typer.Option(help="Family of the variants; repeatable.", show_default="mobilenet_v1")
    ] = None,
    json: Json = None,
) -> None:
    """Show size, MACs and accuracy of variants before building."""
    from mobilenet_edge import units
    from mobilenet_edge.commands import plan as command
    from mobilenet_edge.report import variants

    try_json(json)
    text, fits = command.run(
        alpha or (),
        [units.parse_pixels(side) for side in rho or ()],
        layers=layers,
        max_macs=None if max_macs is None else units.parse_count(max_macs),
        max_size=None if max_size is None else units.parse_bytes(max_size),
        min_top1=min_top1,
        classes=classes,
        families=[choice.value for choice in family or (Family.mobilenet_v1,)],
    )
    values = variants.json(fits)
    if measure and fits:
        if not layers:
            raise UsageError("--measure is about the layers of one variant; add --layers")
        times, values = command.measure(fits[0], host or LOCAL, devices, threads)
        text = f"{text}\n\n{times}"
    document(lambda: text, lambda: values, json)
    raise typer.Exit(0 if fits else 1)


@app.command(
    cls=Verb,
    epilog=examples(
        "mnet build --alpha 0.5 --rho 160 --weights imagenet", "mnet build --alpha 0.25 --rho 128 --classes 10"
    ),
)
def build(
    alpha: Annotated[float, typer.Option(help="Width multiplier, above 0 and at most 2.", show_default=False)],
    rho: Annotated[
        str,
        typer.Option(metavar="PIXELS", help="Side of the input image in pixels, a multiple of 32.", show_default=False),
    ],
    classes: Annotated[int, typer.Option(help="Number of classes.")] = 1000,
    weights: Annotated[str, typer.Option(help=WEIGHTS_HELP)] = "random",
    seed: Seed = 0,
    family: Annotated[Family, typer.Option(help="Family of the architecture.")] = Family.mobilenet_v1,
    channels: Annotated[int, typer.Option(help="Number of channels of the input image.")] = 3,
    out: Annotated[Path, typer.Option(metavar="DIR|FILE", help="Folder or name of the .keras file.")] = RESULTS,
    pixels: Pixels = None,
    colour: Colour = None,
    fit: Fit = None,
    crop: Crop = None,
    filter: Filter = None,
    force: Force = False,
) -> None:
    """Build a MobileNet in Keras."""
    from mobilenet_edge import units
    from mobilenet_edge.data.pixel_options import PixelOptions
    from mobilenet_edge.model.spec import ModelSpec

    spec = ModelSpec(alpha, units.parse_pixels(rho), classes, family.value, channels)
    options = PixelOptions(pixels, colour, fit, crop, filter)
    from mobilenet_edge.conversion import creation

    show(creation.create(spec, weights=weights, seed=seed, out=out, force=force, options=options).path)


@app.command(
    cls=Verb,
    epilog=examples(
        "mnet train pets/ --alpha 0.5 --rho 160", "mnet train pets/ --alpha 0.25 --rho 128 --epochs 10 --test 0.2"
    ),
)
def train(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Folder of class folders, or of train/, val/ and test/ folders of these.",
            show_default=False,
        ),
    ],
    alpha: Annotated[float, typer.Option(help="Width multiplier, above 0 and at most 2.", show_default=False)],
    rho: Annotated[
        str,
        typer.Option(metavar="PIXELS", help="Side of the input image in pixels, a multiple of 32.", show_default=False),
    ],
    weights: Annotated[str, typer.Option(help=WEIGHTS_HELP)] = "imagenet",
    epochs: Annotated[int, typer.Option(help="Number of epochs of fine-tuning; 0 trains the head alone.")] = 0,
    unfreeze: Annotated[
        str, typer.Option(metavar="0..17|all", help="Fine-tune this many blocks, counted from the head.")
    ] = "6",
    teacher: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.keras",
            help="Learn this classifier's answers; needs no class folders.",
            show_default=False,
        ),
    ] = None,
    validation: Annotated[float, typer.Option(help="Share of the pictures that decide when to stop.")] = 0.2,
    test: Annotated[float, typer.Option(help="Share of the pictures that are only scored.")] = 0.0,
    qat: Annotated[
        bool,
        typer.Option("--qat", help="Also write int8 files, their integers tuned on the pictures; needs test pictures."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn at random.")] = 0,
    family: Annotated[Family, typer.Option(help="Family of the architecture.")] = Family.mobilenet_v1,
    out: Out = RESULTS,
    force: Annotated[bool, typer.Option("--force", help="Also overwrite files of another model.")] = False,
) -> None:
    """Train a classifier of your own pictures."""
    from mobilenet_edge import units
    from mobilenet_edge.commands import train as command
    from mobilenet_edge.report import lesson
    from mobilenet_edge.training.arguments import Arguments

    arguments = Arguments(
        alpha=alpha,
        rho=units.parse_pixels(rho),
        family=family.value,
        weights=weights,
        epochs=epochs,
        unfreeze=unfreeze,
        teacher=teacher,
        validation=validation,
        test=test,
        qat=qat,
        seed=seed,
    )
    show(lesson.text(command.run(data, arguments, out=out, force=force)))


@app.command(
    cls=Verb,
    epilog=examples(
        "mnet export results/mobilenet_v1-a0.50-r160.keras --calibrate photos/",
        "mnet export model.keras --format tflite --precision int8 --calibrate photos/ --target edgetpu",
    ),
)
def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL.keras", help="A Keras model.", show_default=False)],
    format: Annotated[
        list[FormatOption] | None, typer.Option(help="Format of the files; repeatable.", show_default="all")
    ] = None,
    precision: Annotated[
        list[Precision] | None,
        typer.Option(help="Precision of the files; repeatable.", show_default="float32 and int8"),
    ] = None,
    calibrate: Annotated[
        str | None,
        typer.Option(
            metavar="DIR|random",
            help="Folder of images to calibrate int8 with, or random for synthetic ones.",
            show_default=False,
            rich_help_panel=INT8,
        ),
    ] = None,
    count: Annotated[int, typer.Option(help="Calibrate with at most this many images.", rich_help_panel=INT8)] = 100,
    io: Annotated[
        Io | None,
        typer.Option(
            help="Element type of the inputs and outputs of int8 files.",
            show_default="int8 in .tflite, float32 in .onnx",
            rich_help_panel=INT8,
        ),
    ] = None,
    labels: Labels = None,
    target: Annotated[
        TargetOption,
        typer.Option(help="Processor that int8 files are for; see docs/quantisation.md.", rich_help_panel=INT8),
    ] = TargetOption.generic,
    effort: Annotated[
        Effort,
        typer.Option(
            help="Effort of the int8 quantiser: best takes longer and is more accurate; its files of networks with a "
            "narrow first layer, such as alpha 0.25, run more slowly in LiteRT.",
            rich_help_panel=INT8,
        ),
    ] = Effort.fast,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Show which layers lose most in int8, and what would help; with --min-agreement, measure every cut.",
            rich_help_panel=INT8,
        ),
    ] = False,
    min_agreement: Annotated[
        float | None,
        typer.Option(
            metavar="0.97",
            help="Keep this agreement with the float model in the mixed file, in the fewest milliseconds.",
            show_default="a fifth of the MACs in float",
            rich_help_panel=INT8,
        ),
    ] = None,
    latency: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Records of mnet profile --ops to take these milliseconds from.",
            show_default="this machine",
            rich_help_panel=INT8,
        ),
    ] = None,
    compact: Annotated[
        bool,
        typer.Option(
            "--compact", help="Make int8 .tflite files 2 % smaller, without real scales inside.", rich_help_panel=INT8
        ),
    ] = False,
    out: Out = RESULTS,
    pixels: Pixels = None,
    colour: Colour = None,
    fit: Fit = None,
    crop: Crop = None,
    filter: Filter = None,
    check_keras: Annotated[
        bool, typer.Option("--check-keras", help="Compare with Keras first; needs TensorFlow.")
    ] = False,
    force: Force = False,
    json: Json = None,
) -> None:
    """Convert a Keras model to TFLite and ONNX, and check both.

    Float32 and int8 by default; float16, dynamic range and mixed on request.
    """
    from mobilenet_edge.conversion import outcome
    from mobilenet_edge.conversion import pipeline as command
    from mobilenet_edge.conversion.mixture import Mixing
    from mobilenet_edge.data.pixel_options import PixelOptions
    from mobilenet_edge.report import exports
    from mobilenet_edge.report import preprocessing as pixels_report

    try_json(json)
    result = command.run(
        model,
        formats=format or (),
        precisions=precision or (),
        calibrate=calibrate,
        count=count,
        io=io,
        labels_file=labels,
        target=target,
        effort=effort,
        out=out,
        force=force,
        options=PixelOptions(pixels, colour, fit, crop, filter),
        compact=compact,
        check_keras=check_keras,
        mixing=Mixing(min_agreement, latency),
        explain=explain,
    )
    remark(pixels_report.of_export(result))
    output(outcome.records(result), json, lambda _: exports.text(result))


@app.command(
    cls=Verb,
    epilog=examples(
        "mnet inspect results/",
        "mnet inspect model.tflite --target edgetpu --json -",
        "mnet inspect model.tflite --target tflm --board nucleo-l4r5zi",
    ),
)
def inspect(
    artifacts: Artifacts,
    target: Annotated[
        PreflightOption | None,
        typer.Option(help="Show which operators would run on this target, and why others not.", show_default=False),
    ] = None,
    board: Board = None,
    json: Json = None,
) -> None:
    """Show the operators, inputs, outputs and size of model files."""
    from mobilenet_edge.commands import inspect as command
    from mobilenet_edge.report import inventory

    try_json(json)
    records = command.run(artifacts, target, board)
    output(records, json, lambda found: "\n\n".join(map(inventory.text, found)))
    raise typer.Exit(command.exit_code(records))
