"""The application itself: its name, its version, and the one place where failures become exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

import typer

from mobilenet_edge import __version__
from mobilenet_edge.errors import Interrupted, MnetError, UsageError
from mobilenet_edge.text import printable

app = typer.Typer(
    name="mnet",
    help="From (alpha, rho) to a trusted tradeoff table: MobileNet on small devices.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


def main(argv: Sequence[str] | None = None) -> None:
    """Run `mnet`; the one place where failures become exit codes.

    A reader of stdout that goes away, as `head` does, is Typer's affair: it stops quietly.

    Raises:
        SystemExit: Always; README.md lists the codes.
    """
    try:
        code = _command()(args=None if argv is None else list(argv), prog_name="mnet", standalone_mode=False)
    except MnetError as error:
        code = _fail(str(error), error.exit_code)
    except OSError as error:
        code = _full(error)
    except (KeyboardInterrupt, typer.Abort):  # newer versions of Typer return 130 themselves
        code = _fail("interrupted", Interrupted.exit_code)
    except typer.TyperException as error:
        code = _fail(_usage(error), UsageError.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


@cache
def _command() -> Any:
    """Leave files to those who read them: Typer would call one that may not be read a wrong option."""
    command: Any = typer.main.get_command(app)
    for verb in command.commands.values():
        for each in verb.params:
            if getattr(each.type, "readable", False):
                each.type.readable = False
    return command


def _fail(message: str, code: int) -> int:
    typer.echo(f"mnet: {printable(message)}", err=True)
    return code


def _full(error: OSError) -> int:
    """A disk that is full, stdout's too, is an expected failure wherever it happens; no other such error is."""
    from mobilenet_edge import files

    told = files.no_room(error)
    if told is None:
        raise error
    return _fail(str(told), told.exit_code)


def _usage(error: Any) -> str:
    """What Typer says of a wrong option, and where to look."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "mnet"
    message = error.format_message().rstrip(".").replace("Value error, ", "")
    return f"{message}; see {command} --help"
