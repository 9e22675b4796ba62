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
Force = Annotated[bool, typer.Option("--force", help="Write over files of another model, too.")]
HERE = ("local",)
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
Out = Annotated[Path, typer.Option(metavar="DIR", help="Where the files go.")]
Seed = Annotated[int, typer.Option(help="Of random weights.")]
Threads = Annotated[list[int] | None, typer.Option(help="Threads; repeat it for several.", show_default="1")]
WEIGHTS_HELP = "random, imagenet, or a .h5, .weights.h5 or .keras file."
