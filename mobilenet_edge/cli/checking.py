"""Define the verbs that guard a project: init, check."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from mobilenet_edge.cli.app import Verb, app, examples
from mobilenet_edge.cli.choices import CheckFormat
from mobilenet_edge.cli.output import FULL_VIEW, show

SUMMARY = "GITHUB_STEP_SUMMARY"


@app.command(cls=Verb, epilog=examples("mnet init", "mnet init models/ --out ~/my-project"))
def init(
    models: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[MODEL...]", help="Model files, or folders of them, to write budgets for."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the project.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there already.")] = False,
) -> None:
    """Write a sweep, budgets, devices and a CI workflow."""
    from mobilenet_edge.commands import init as command

    show("\n".join(map(str, command.run(models or (), out, force=force))))


@app.command(
    cls=Verb,
    epilog=examples(
        "mnet check results/ --budgets configs/budgets.toml", "mnet check results/ --baseline git:main --format github"
    ),
)
def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[ARTIFACTS|RECORDS...]",
            help="Model files, records written by --json, or folders of either.",
            show_default="the files that the budgets name",
        ),
    ] = None,
    budgets: Annotated[
        Path, typer.Option(metavar="FILE", help="File of budgets, the limits to check; see docs/ci.md.")
    ] = Path("configs/budgets.toml"),
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|git:REF",
            help="Earlier figures that relative limits compare with.",
            show_default="the budget file's, if any",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC", help="Check only the limits on this metric, such as size; repeatable.", show_default=False
        ),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Tighten the limits with a ratchet in the budget file.")
    ] = False,
    format: Annotated[CheckFormat, typer.Option(help="Format of the result.")] = CheckFormat.text,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the result to this file.", show_default="stdout")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl", help="Append the figures of this commit to a history file.", show_default=False
        ),
    ] = None,
) -> None:
    """Check artifacts and records against budgets."""
    from mobilenet_edge import files
    from mobilenet_edge.commands import check as command

    if out is not None:
        files.try_file(out)
    options = command.CheckOptions(budgets, baseline, tuple(only or ()), update, record)
    outcome = command.run(paths or [], options)
    text = command.dump(outcome, format)
    if out is None:
        show(text, FULL_VIEW if format is CheckFormat.text else None)
    else:
        files.write_text(out, text + "\n")
    if format is CheckFormat.github and (summary := os.environ.get(SUMMARY)):
        _append_summary(Path(summary), command.dump(outcome, "markdown"))
    raise typer.Exit(command.exit_code(outcome))


def _append_summary(path: Path, text: str) -> None:
    """Append to the summary of the job, which other steps also write."""
    from mobilenet_edge.errors import InputError
    from mobilenet_edge.files import reason

    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        raise InputError(f"cannot write the job summary {path}: {reason(error)}; see ${SUMMARY}") from error
