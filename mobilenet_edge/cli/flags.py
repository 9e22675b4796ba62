"""Define the options and arguments that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# Sections of the help.
OUTPUT = "Output"
DEVICE = "Device"

RESULTS = Path("results")
Artifacts = Annotated[
    list[Path], typer.Argument(metavar="ARTIFACT...", help="Model files, or folders of them.", show_default=False)
]
Board = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Board with a microcontroller that files must fit; see docs/micro.md.",
        show_default=False,
    ),
]
Dask = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Run on the Dask cluster with this scheduler.", show_default=False),
]
# Section of the help for the preprocessing rule.
PIXELS = "Options for the pixels that the model takes"
Colour = Annotated[
    str | None,
    typer.Option(
        metavar="rgb|bgr|grey", help="Order of the colour channels.", show_default="found out", rich_help_panel=PIXELS
    ),
]
Crop = Annotated[
    float | None,
    typer.Option(
        metavar="0.875", help="Share of each side that --fit crop keeps.", show_default=False, rich_help_panel=PIXELS
    ),
]
Filter = Annotated[
    str | None,
    typer.Option(
        metavar="bilinear",
        help="Pillow filter that scales the pictures.",
        show_default=False,
        rich_help_panel=PIXELS,
    ),
]
Fit = Annotated[
    str | None,
    typer.Option(
        metavar="crop|stretch|pad",
        help="How a picture is brought into the shape of the input.",
        show_default=False,
        rich_help_panel=PIXELS,
    ),
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Also overwrite files of another model, and keep pixels that the model contradicts."),
]
LOCAL = ("local",)
Columns = Annotated[
    str | None,
    typer.Option(
        metavar="TITLE,...",
        help="Show only these columns of the table, in this order.",
        show_default="those that fit",
        rich_help_panel=OUTPUT,
    ),
]
DelegateOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--delegate-option",
        metavar="KEY=VALUE",
        help="Option of the delegate or provider; repeatable.",
        show_default=False,
        rich_help_panel=DEVICE,
    ),
]
DelegatePath = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="Library of a TFLite delegate on the machine, such as libedgetpu.so.1.",
        show_default=False,
        rich_help_panel=DEVICE,
    ),
]
Provider = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Execution provider of onnxruntime on the machine, such as XnnpackExecutionProvider.",
        show_default=False,
        rich_help_panel=DEVICE,
    ),
]
Devices = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="File that describes the devices by name.",
        show_default="configs/devices.toml, if any",
        rich_help_panel=DEVICE,
    ),
]
Host = Annotated[
    str,
    typer.Option(
        metavar="HOST",
        help="Machine that runs the models: the name of a device, user@host for SSH, or local.",
        rich_help_panel=DEVICE,
    ),
]
Hosts = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        metavar="HOST",
        help="Machine to use: the name of a device, user@host for SSH, or local; repeatable.",
        show_default="local",
        rich_help_panel=DEVICE,
    ),
]
Json = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE|-",
        help="Write the records to this file as a JSON array; - for stdout.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="File of class names, one per line; see docs/models.md.", show_default=False),
]
Notes = Annotated[
    bool,
    typer.Option("--notes", help="Show all notes under a table instead of the last five.", rich_help_panel=OUTPUT),
]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files.")]
Pixels = Annotated[
    str | None,
    typer.Option(
        metavar="0..1",
        help="Values that 0..255 becomes: -1..1, 0..1, 0..255, imagenet, caffe, or mean=…,std=….",
        show_default="found out",
        rich_help_panel=PIXELS,
    ),
]
Records = Annotated[
    list[Path], typer.Argument(metavar="RECORDS...", help="Records written by --json, or folders of them.")
]
Seed = Annotated[int, typer.Option(help="Seed of random weights.")]
Threads = Annotated[
    list[int] | None,
    typer.Option(help="Number of threads within one inference; repeat it to measure several.", show_default="1"),
]
Wide = Annotated[
    bool,
    typer.Option(
        "--wide", help="Show all columns of a table, even if wider than the terminal.", rich_help_panel=OUTPUT
    ),
]
WEIGHTS_HELP = "Initial weights: random, imagenet, or a .h5, .weights.h5 or .keras file."
