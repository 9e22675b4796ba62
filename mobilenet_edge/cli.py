"""The command line: parses, calls one function of `commands`, prints, and stops."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mobilenet_edge import __version__
from mobilenet_edge.errors import MnetError, UsageError

if TYPE_CHECKING:
    from mobilenet_edge.records import Record

RESULTS = Path("results")
INTERRUPTED = 130

app = typer.Typer(
    name="mnet",
    help="From (alpha, rho) to a trusted tradeoff table: MobileNet on small devices.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    """Of an artifact."""

    tflite = "tflite"
    onnx = "onnx"


class Precision(StrEnum):
    """Of an artifact."""

    float32 = "float32"
    float16 = "float16"
    dynamic = "dynamic"
    int8 = "int8"


class Io(StrEnum):
    """Element type of an int8 file's ends."""

    int8 = "int8"
    uint8 = "uint8"
    float32 = "float32"


class Target(StrEnum):
    """Where an int8 file is meant to run."""

    generic = "generic"
    x86 = "x86"
    x86_vnni = "x86-vnni"
    arm64 = "arm64"
    edgetpu = "edgetpu"


class Effort(StrEnum):
    """How long the quantiser may take."""

    fast = "fast"
    best = "best"


class Preflight(StrEnum):
    """A target that can tell what it would take of a file."""

    edgetpu = "edgetpu"


class TableFormat(StrEnum):
    """Of a table."""

    markdown = "markdown"
    csv = "csv"
    json = "json"


class Runtime(StrEnum):
    """What runs an artifact."""

    auto = "auto"
    litert = "litert"
    tflite_runtime = "tflite-runtime"
    onnxruntime = "onnxruntime"


Artifacts = Annotated[list[Path], typer.Argument(metavar="ARTIFACT...", help="Model files.", show_default=False)]
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


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"mnet {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    pass


@app.command()
def plan(
    alpha: Annotated[list[float] | None, typer.Option(help="Width multiplier; repeatable.", show_default=False)] = None,
    rho: Annotated[list[int] | None, typer.Option(help="Image side in pixels; repeatable.", show_default=False)] = None,
    layers: Annotated[bool, typer.Option("--layers", help="Explain one variant layer by layer.")] = False,
    max_macs: Annotated[str | None, typer.Option(metavar="50M", help="At most so many MACs.")] = None,
    max_size: Annotated[str | None, typer.Option(metavar="1MB", help="At most so many bytes as int8.")] = None,
    min_top1: Annotated[float | None, typer.Option(metavar="55", help="At least this published top-1.")] = None,
    classes: Annotated[int, typer.Option(help="Number of outputs.")] = 1000,
) -> None:
    """Show what variants cost, before anything is built."""
    from mobilenet_edge import units
    from mobilenet_edge.commands import plan as command

    typer.echo(
        command.run(
            alpha or (),
            rho or (),
            layers=layers,
            max_macs=None if max_macs is None else units.parse_count(max_macs),
            max_size=None if max_size is None else units.parse_bytes(max_size),
            min_top1=min_top1,
            classes=classes,
        )
    )


@app.command()
def build(
    alpha: Annotated[float, typer.Option(help="Width multiplier, above 0 and at most 2.", show_default=False)],
    rho: Annotated[int, typer.Option(help="Image side in pixels, a multiple of 32.", show_default=False)],
    classes: Annotated[int, typer.Option(help="Number of outputs.")] = 1000,
    weights: Annotated[str, typer.Option(help=WEIGHTS_HELP)] = "random",
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(metavar="DIR|FILE", help="Where the .keras file goes.")] = RESULTS,
) -> None:
    """Build a MobileNet v1 in Keras."""
    from mobilenet_edge.spec import ModelSpec

    spec = ModelSpec(alpha, rho, classes)
    from mobilenet_edge.commands import build as command

    typer.echo(command.run(spec, weights=weights, seed=seed, out=out).path)


@app.command()
def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL.keras", help="A Keras model.", show_default=False)],
    format: Annotated[list[Format] | None, typer.Option(help="Of the files; repeatable.", show_default="all")] = None,
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
    target: Annotated[Target, typer.Option(help="Where int8 files are to run; see docs/targets.md.")] = Target.generic,
    effort: Annotated[Effort, typer.Option(help="How long the int8 quantiser may take.")] = Effort.fast,
    out: Out = RESULTS,
) -> None:
    """Write TFLite and ONNX files, float32 to int8, and check them."""
    from mobilenet_edge.commands import export as command
    from mobilenet_edge.report import exports

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
    )
    typer.echo(exports.table(made, made.mutual))


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

    _try(json)
    made = command.run(
        artifacts, data, labels=labels, reference=reference, threads=threads, limit=limit, leave_out=leave_out
    )
    _output(made, json, scores.table)


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

    _try(json)
    made = command.run(
        artifacts,
        threads=threads or (1,),
        runs=runs,
        seconds=seconds,
        rounds=rounds,
        runtime=runtime,
        affinity=affinity or (),
    )
    _output(made, json, lambda records: table.markdown(rows.join(records)))


@app.command()
def inspect(
    artifacts: Artifacts,
    target: Annotated[
        Preflight | None, typer.Option(help="Say what of it would run there, and why not.", show_default=False)
    ] = None,
    json: Json = None,
) -> None:
    """Show what a model file is made of, and where its bytes go."""
    from mobilenet_edge.commands import inspect as command
    from mobilenet_edge.report import contents

    _output(command.run(artifacts, target), json, lambda records: "\n\n".join(map(contents.text, records)))


@app.command()
def table(
    records: Annotated[list[Path], typer.Argument(metavar="RECORDS...", help="Files of --json, or folders of them.")],
    format: Annotated[TableFormat, typer.Option(help="For reading, or for machines.")] = TableFormat.markdown,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it here.", show_default="stdout")] = None,
) -> None:
    """Join records into a tradeoff table."""
    from mobilenet_edge import files
    from mobilenet_edge.commands import table as command

    text = command.run(records, format)
    if out is None:
        typer.echo(text)
    else:
        files.write_text(out, text + "\n")


@app.command()
def sweep(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="The grid; see configs/.", show_default=False)],
    weights: Annotated[str | None, typer.Option(help=WEIGHTS_HELP, show_default="the file's")] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Images to calibrate with and to score.", show_default="the file's"),
    ] = None,
    out: Out = RESULTS,
) -> None:
    """Build, export, profile and tabulate a whole grid."""
    from mobilenet_edge.commands import sweep as command

    typer.echo(command.run(config, weights=weights, data=data, out=out))


def main(argv: Sequence[str] | None = None) -> None:
    """Run `mnet`; the one place where failures become exit codes.

    A reader of stdout that goes away, as `head` does, is Typer's affair: it stops quietly.

    Raises:
        SystemExit: Always; README.md lists the codes.
    """
    try:
        code = app(args=None if argv is None else list(argv), prog_name="mnet", standalone_mode=False)
    except MnetError as error:
        code = _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):  # newer versions of Typer return 130 themselves
        code = _fail("interrupted", INTERRUPTED)
    except typer.TyperException as error:
        code = _fail(_usage(error), UsageError.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int) -> int:
    line = " ".join(message.split())
    typer.echo(f"mnet: {line}", err=True)
    return code


def _usage(error: Any) -> str:
    """What Typer says of a wrong option, and where to look."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "mnet"
    message = error.format_message().rstrip(".").replace("Value error, ", "")
    return f"{message}; see {command} --help"


def _try(json: str | None) -> None:
    """Fail before the measuring where its records could not be written."""
    from mobilenet_edge import files

    if json not in (None, "-"):
        files.try_file(Path(str(json)))


def _output(made: Sequence[Record], json: str | None, text: Any) -> None:
    """Print records as text; with --json FILE write them too, with --json - print them instead."""
    from mobilenet_edge import records

    if json == "-":
        typer.echo(records.dumps(made), nl=False)
        return
    if json is not None:
        records.write(Path(json), made)
    typer.echo(text(made))
