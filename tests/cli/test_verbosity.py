from __future__ import annotations

import logging

import pytest
import typer

from mobilenet_edge import progress
from mobilenet_edge.cli.app import Verb
from mobilenet_edge.cli.output import remark

app = typer.Typer()


@app.command(cls=Verb)
def speak() -> None:
    """Do what verbs do on stderr."""
    logging.getLogger("mobilenet_edge.files").info("wrote %s", "\x1b[31mx")
    remark("assumed: the pixels")
    with progress.board() as show:
        show("Speaking", 1).now("a long step", seconds=600)


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ([], ["assumed: the pixels", "Speaking: 0 of 1, now a long step (10 min), 0 min elapsed"]),
        (["-q"], []),
        (["-v"], ["wrote [31mx", "assumed: the pixels", "Speaking: 0 of 1, now a long step (10 min), 0 min elapsed"]),
        (["-q", "-v"], ["wrote [31mx"]),
    ],
)
def test_stderr(options: list[str], lines: list[str], capsys: pytest.CaptureFixture[str]):
    typer.main.get_command(app)(options, standalone_mode=False)
    assert capsys.readouterr().err.splitlines() == lines
