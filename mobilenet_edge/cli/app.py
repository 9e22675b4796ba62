"""Define the application, the options of every verb, the layout of its help, and the exit codes of failures."""

from __future__ import annotations

import copy
import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from mobilenet_edge import __version__
from mobilenet_edge.cli import verbosity
from mobilenet_edge.errors import Interrupted, MnetError, UsageError
from mobilenet_edge.text import printable

app = typer.Typer(
    name="mnet",
    help="From (alpha, rho) to a trusted tradeoff table: MobileNet on small devices.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Verb(TyperCommand):
    """A command with -q and -v, whose help groups options by their panel without the slow import of Rich."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [
            TyperOption(
                param_decls=list(names),
                is_flag=True,
                expose_value=False,
                callback=act,
                help=text,
                rich_help_panel="Output",
            )
            for names, act, text in (
                (("-q", "--quiet"), verbosity.quiet, "Show neither progress nor remarks."),
                (("-v", "--verbose"), verbosity.verbose, "Show what is run, and which files are written."),
            )
        ]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section for the arguments, for each panel and for the other options."""
        sections = defaultdict[str, list[tuple[str, str]]](list)
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                default = "Arguments" if parameter.param_type_name == "argument" else "Options"
                sections[getattr(parameter, "rich_help_panel", None) or default].append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def examples(*commands: str) -> str:
    """Return the end of a verb's help: commands to copy, one per line."""
    # \b keeps the lines of a paragraph as they are.
    return "\n  ".join(("\b\nExamples:", *commands))


def _show_version(requested: bool) -> None:
    if requested:
        typer.echo(f"mnet {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(argv: Sequence[str] | None = None) -> None:
    """Run `mnet` and exit with the code of its failure, if any.

    Typer itself handles a closed stdout, as after `| head`, and exits without a message.

    Args:
        argv: Arguments without the program name, None for those of the process.

    Raises:
        SystemExit: Always; README.md lists the codes.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        code = _command(words[0] if words else "")(args=words, prog_name="mnet", standalone_mode=False)
    except MnetError as error:
        code = _fail(str(error), error.exit_code)
    except OSError as error:
        code = _fail_if_disk_full(error)
    except (KeyboardInterrupt, typer.Abort):  # newer versions of Typer return 130 instead
        code = _fail("interrupted", Interrupted.exit_code)
    except typer.TyperException as error:
        code = _fail(_usage_message(error), UsageError.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


@cache
def _command(word: str) -> Any:
    """Return the command with the verb of this name alone, or with all where there is none.

    Typer takes 50 ms for the options of all verbs. Its check of files is off: an unreadable file is an
    input error, not a wrong option.
    """
    asked = copy.copy(app)
    named = [info for info in app.registered_commands if word == (info.name or _name(info.callback))]
    asked.registered_commands = named or app.registered_commands
    command: Any = typer.main.get_command(asked)
    for verb in command.commands.values():
        for parameter in verb.params:
            if getattr(parameter.type, "readable", False):
                parameter.type.readable = False
    return command


def _name(callback: Any) -> str:
    return str(typer.main.get_command_name(callback.__name__))


def _fail(message: str, code: int) -> int:
    typer.echo(f"mnet: {printable(message)}", err=True)
    return code


def _fail_if_disk_full(error: OSError) -> int:
    """Report a full disk, an expected failure anywhere (also for stdout), and raise other errors again."""
    from mobilenet_edge import files

    failure = files.no_room(error)
    if failure is None:
        raise error
    return _fail(str(failure), failure.exit_code)


def _usage_message(error: Any) -> str:
    """Return Typer's message for a wrong option, with the name that was probably meant, and the help to read."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "mnet"
    message = error.format_message().replace("Value error, ", "")
    message = message[:1].lower() + message[1:]
    guess = re.search(r"(?:\. Did you mean| \(Possible options:) (.+?)[?)]$", message)
    if guess:
        names = guess[1].replace("'", "").replace(", ", " or ")
        return f"{message[: guess.start()]}; did you mean {names}? See {command} --help"
    return f"{message.rstrip('.')}; see {command} --help"
