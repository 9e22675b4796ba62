"""Define the verbs that put a model to use: predict, bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_edge.cli.app import Verb, app, examples
from mobilenet_edge.cli.choices import BundleTarget, RuntimeOption
from mobilenet_edge.cli.flags import DEVICE, Colour, Crop, Devices, Filter, Fit, Force, Host, Json, Labels, Pixels
from mobilenet_edge.cli.output import output, remark, show, try_json
from mobilenet_edge.errors import UsageError


@app.command(
    cls=Verb,
    epilog=examples(
        "mnet predict model.int8.tflite photo.jpg",
        "mnet predict results/*.tflite photos/ --json answers.json",
        "mnet predict model.int8.tflite photos/ --host pi@raspberrypi.local",
    ),
)
def predict(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL... PICTURE...",
            help="Model files; pictures, folders of pictures, or - for a picture on stdin.",
            show_default=False,
        ),
    ],
    labels: Labels = None,
    top: Annotated[int, typer.Option(help="Number of classes to show.")] = 3,
    camera: Annotated[
        str | None,
        typer.Option(metavar="0", help="Classify the frames of this camera until Ctrl-C.", show_default=False),
    ] = None,
    threads: Annotated[int, typer.Option(help="Number of threads within one inference.")] = 1,
    host: Host = "local",
    runtime: Annotated[
        RuntimeOption, typer.Option(help="Runtime that runs the files.", rich_help_panel=DEVICE)
    ] = RuntimeOption.auto,
    devices: Devices = None,
    pixels: Pixels = None,
    colour: Colour = None,
    fit: Fit = None,
    crop: Crop = None,
    filter: Filter = None,
    json: Json = None,
) -> None:
    """Show what models say of pictures, and where they disagree.

    The times are those of reading the picture, of turning it into a tensor, and of the inference.
    """
    from mobilenet_edge.commands import classify as command
    from mobilenet_edge.data.pixel_options import PixelOptions
    from mobilenet_edge.evaluation.inference import Question
    from mobilenet_edge.report import classifications
    from mobilenet_edge.report import preprocessing as pixels_report

    if camera is not None and json is not None:
        raise UsageError("--json is for pictures; leave it out with --camera")
    try_json(json)
    question = Question(threads, PixelOptions(pixels, colour, fit, crop, filter), labels, top, runtime)
    answers = command.run(paths, question, camera=camera, host=host, devices=devices)
    if camera is None:
        records = [record for picture in answers for record in picture]
        remark(pixels_report.of_records(records))
        output(records, json, classifications.table)
        return
    for number, frame in enumerate(answers):
        if not number:
            remark(pixels_report.of_records(frame))
        show(classifications.line(frame), None)


@app.command(
    cls=Verb,
    epilog=examples(
        "mnet bundle model.int8.tflite --out app/ --pictures photos/ --records results/",
        "mnet bundle model.float32.onnx --out app/ --pictures photos/ --for compiler",
    ),
)
def bundle(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A .tflite or .onnx file.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the bundle.", show_default=False)],
    pictures: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help="Folder of pictures for its test, or to calibrate a compiler with.", show_default=False
        ),
    ],
    target: Annotated[
        BundleTarget,
        typer.Option(
            "--for",
            help="A board with Python, a program in C++, an Android app, a web page, a vendor's compiler, or a "
            "microcontroller.",
        ),
    ] = BundleTarget.pi,
    labels: Labels = None,
    records: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RECORDS",
            help="Records of this file for its README, or folders of them; repeatable.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    pixels: Pixels = None,
    colour: Colour = None,
    fit: Fit = None,
    crop: Crop = None,
    filter: Filter = None,
) -> None:
    """Write a folder that classifies pictures without mnet.

    It holds the model, its labels, a program made for its pixels, and a test of both for the device.
    """
    from mobilenet_edge.commands import bundle as command
    from mobilenet_edge.data.pixel_options import PixelOptions

    written = command.run(
        model,
        out,
        pictures,
        target=target,
        labels=labels,
        records=records or (),
        options=PixelOptions(pixels, colour, fit, crop, filter),
        force=force,
    )
    show("\n".join(map(str, written)), None)
