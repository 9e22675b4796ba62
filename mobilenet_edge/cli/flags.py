"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RESULTS = Path("results")
Artifacts = Annotated[
    list[Path], typer.Argument(metavar="ARTIFACT...", help="Model files, or folders of them.", show_default=False)
]
Dask = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Work on the Dask cluster of this scheduler.", show_default=False),
]
Colour = Annotated[
    str | None, typer.Option(metavar="rgb|bgr|grey", help="Order of channels.", show_default="found out")
]
Crop = Annotated[
    float | None, typer.Option(metavar="0.875", help="Share of each side that --fit crop keeps.", show_default=False)
]
Filter = Annotated[
    str | None, typer.Option(metavar="bilinear", help="Of Pillow, to scale images with.", show_default=False)
]
Fit = Annotated[
    str | None, typer.Option(metavar="crop|stretch|pad", help="How an image gets its shape.", show_default=False)
]
Force = Annotated[
    bool, typer.Option("--force", help="Write over files of another model, too; keep pixels that a model contradicts.")
]
HERE = ("local",)
Columns = Annotated[
    str | None,
    typer.Option(metavar="TITLE,...", help="Show these columns of the table.", show_default="those that fit"),
]
Devices = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Where hosts are described.", show_default="configs/devices.toml, if any"),
]
Hosts = Annotated[
    list[str] | None,
    typer.Option("--host", metavar="HOST", help="A device's name, or user@host; repeatable.", show_default="local"),
]
Json = Annotated[
    str | None,
    typer.Option(
        "--json", metavar="FILE|-", help="Write the records as a JSON array; - is stdout.", show_default=False
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Class names, line k for class k; see docs/accuracy.md.", show_default=False),
]
Notes = Annotated[bool, typer.Option("--notes", help="Show all notes under a table, not the last five.")]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Where the files go.")]
Pixels = Annotated[
    str | None,
    typer.Option(
        metavar="0..1",
        help="What 0..255 becomes: -1..1, 0..1, 0..255, imagenet, caffe, or mean=…,std=…; see docs/accuracy.md.",
        show_default="found out",
    ),
]
Seed = Annotated[int, typer.Option(help="Of random weights.")]
Threads = Annotated[list[int] | None, typer.Option(help="Threads; repeat it for several.", show_default="1")]
Wide = Annotated[bool, typer.Option("--wide", help="Show all columns of a table, however wide the terminal.")]
WEIGHTS_HELP = "random, imagenet, or a .h5, .weights.h5 or .keras file."
