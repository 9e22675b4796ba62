"""The verb that says yes or no: check."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from mobilenet_edge.cli.app import app
from mobilenet_edge.cli.choices import CheckFormat
from mobilenet_edge.cli.output import WHOLE, show

SUMMARY = "GITHUB_STEP_SUMMARY"


@app.command()
def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[ARTIFACTS|RECORDS...]",
            help="Model files, files of --json, or folders of them.",
            show_default="the budgets' own",
        ),
    ] = None,
    budgets: Annotated[Path, typer.Option(metavar="FILE", help="What may cost how much; see docs/check.md.")] = Path(
        "configs/budgets.toml"
    ),
    baseline: Annotated[
        str | None,
        typer.Option(metavar="FILE|git:REF", help="What it cost before.", show_default="the budget file's, if any"),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="METRIC", help="Check this alone, such as size; repeatable.", show_default=False),
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Tighten the ratchets in the budget file.")] = False,
    format: Annotated[CheckFormat, typer.Option(help="For reading, or for machines.")] = CheckFormat.text,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it here.", show_default="stdout")] = None,
    record: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help="Add the figures of this commit to a history.", show_default=False),
    ] = None,
) -> None:
    """Hold artifacts and records to their budgets."""
    from mobilenet_edge import files
    from mobilenet_edge.commands import check as command

    if out is not None:
        files.try_file(out)
    options = command.CheckOptions(budgets, baseline, tuple(only or ()), update, record)
    made = command.run(paths or [], options)
    text = command.dump(made, format)
    if out is None:
        show(text, WHOLE if format is CheckFormat.text else None)
    else:
        files.write_text(out, text + "\n")
    if format is CheckFormat.github and (summary := os.environ.get(SUMMARY)):
        _summarise(Path(summary), command.dump(made, "markdown"))
    raise typer.Exit(command.exit_code(made))


def _summarise(path: Path, text: str) -> None:
    """Add to the job's summary, to which other steps add too."""
    from mobilenet_edge.errors import InputError
    from mobilenet_edge.files import reason

    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        raise InputError(f"cannot write the job summary {path}: {reason(error)}; see ${SUMMARY}") from error
