"""Verbs that make models and look into them: plan, build, export, inspect."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_edge.cli.app import app
from mobilenet_edge.cli.choices import Effort, Family, FormatOption, Io, Precision, PreflightOption, TargetOption
from mobilenet_edge.cli.flags import (
    RESULTS,
    WEIGHTS_HELP,
    Artifacts,
    Colour,
    Crop,
    Filter,
    Fit,
    Force,
    Json,
    Labels,
    Out,
    Pixels,
    Seed,
)
from mobilenet_edge.cli.output import output, remark, show, try_json


@app.command()
def plan(
    alpha: Annotated[list[float] | None, typer.Option(help="Width multiplier; repeatable.", show_default=False)] = None,
    rho: Annotated[
        list[str] | None, typer.Option(metavar="PIXELS", help="Image side in pixels; repeatable.", show_default=False)
    ] = None,
    layers: Annotated[bool, typer.Option("--layers", help="Explain one variant layer by layer.")] = False,
    max_macs: Annotated[str | None, typer.Option(metavar="50M", help="At most so many MACs.")] = None,
    max_size: Annotated[str | None, typer.Option(metavar="1MB", help="At most so many bytes as int8.")] = None,
    min_top1: Annotated[float | None, typer.Option(metavar="55", help="At least this published top-1.")] = None,
    classes: Annotated[int, typer.Option(help="Number of outputs.")] = 1000,
    family: Annotated[
        list[Family] | None, typer.Option(help="Of the variants; repeatable.", show_default="mobilenet_v1")
    ] = None,
) -> None:
    """Show what variants cost, before anything is built."""
    from mobilenet_edge import units
    from mobilenet_edge.commands import plan as command

    text, fits = command.run(
        alpha or (),
        [units.parse_pixels(side) for side in rho or ()],
        layers=layers,
        max_macs=None if max_macs is None else units.parse_count(max_macs),
        max_size=None if max_size is None else units.parse_bytes(max_size),
        min_top1=min_top1,
        classes=classes,
        families=[each.value for each in family or (Family.mobilenet_v1,)],
    )
    show(text)
    raise typer.Exit(0 if fits else 1)


@app.command()
def build(
    alpha: Annotated[float, typer.Option(help="Width multiplier, above 0 and at most 2.", show_default=False)],
    rho: Annotated[
        str, typer.Option(metavar="PIXELS", help="Image side in pixels, a multiple of 32.", show_default=False)
    ],
    classes: Annotated[int, typer.Option(help="Number of outputs.")] = 1000,
    weights: Annotated[str, typer.Option(help=WEIGHTS_HELP)] = "random",
    seed: Seed = 0,
    family: Annotated[Family, typer.Option(help="Which MobileNet.")] = Family.mobilenet_v1,
    channels: Annotated[int, typer.Option(help="Of the input image.")] = 3,
    out: Annotated[Path, typer.Option(metavar="DIR|FILE", help="Where the .keras file goes.")] = RESULTS,
    pixels: Pixels = None,
    colour: Colour = None,
    fit: Fit = None,
    crop: Crop = None,
    filter: Filter = None,
    force: Force = False,
) -> None:
    """Build a MobileNet in Keras."""
    from mobilenet_edge import units
    from mobilenet_edge.data.options import PixelOptions
    from mobilenet_edge.model.spec import ModelSpec

    spec = ModelSpec(alpha, units.parse_pixels(rho), classes, family.value, channels)
    options = PixelOptions(pixels, colour, fit, crop, filter)
    from mobilenet_edge.conversion import creation

    show(creation.create(spec, weights=weights, seed=seed, out=out, force=force, options=options).path)


@app.command()
def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL.keras", help="A Keras model.", show_default=False)],
    format: Annotated[
        list[FormatOption] | None, typer.Option(help="Of the files; repeatable.", show_default="all")
    ] = None,
    precision: Annotated[
        list[Precision] | None, typer.Option(help="Of the files; repeatable.", show_default="float32 and int8")
    ] = None,
    calibrate: Annotated[
        str | None,
        typer.Option(metavar="DIR|random", help="Images that int8 is fitted to, or noise.", show_default=False),
    ] = None,
    count: Annotated[int, typer.Option(help="Calibrate with at most this many images.")] = 100,
    io: Annotated[
        Io | None, typer.Option(help="Ends of an int8 file.", show_default="int8 in .tflite, float32 in .onnx")
    ] = None,
    labels: Labels = None,
    target: Annotated[
        TargetOption, typer.Option(help="Where int8 files are to run; see docs/targets.md.")
    ] = TargetOption.generic,
    effort: Annotated[Effort, typer.Option(help="How long the int8 quantiser may take.")] = Effort.fast,
    compact: Annotated[
        bool, typer.Option("--compact", help="int8 .tflite 2 % smaller, inner tensors without real scales.")
    ] = False,
    out: Out = RESULTS,
    pixels: Pixels = None,
    colour: Colour = None,
    fit: Fit = None,
    crop: Crop = None,
    filter: Filter = None,
    force: Force = False,
) -> None:
    """Write TFLite and ONNX files, float32 to int8, and check them."""
    from mobilenet_edge.conversion import pipeline as command
    from mobilenet_edge.data.options import PixelOptions
    from mobilenet_edge.report import exports
    from mobilenet_edge.report import pixels as pixels_report

    made = command.run(
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
    )
    remark(pixels_report.of_export(made))
    show(exports.table(made, made.mutual, made.split))


@app.command()
def inspect(
    artifacts: Artifacts,
    target: Annotated[
        PreflightOption | None, typer.Option(help="Say what of it would run there, and why not.", show_default=False)
    ] = None,
    json: Json = None,
) -> None:
    """Show what a model file is made of, and where its bytes go."""
    from mobilenet_edge.commands import inspect as command
    from mobilenet_edge.report import inventory

    try_json(json)
    output(command.run(artifacts, target), json, lambda records: "\n\n".join(map(inventory.text, records)))
