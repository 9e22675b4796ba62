"""A bar on a terminal, silence elsewhere, and never a word on stdout."""

import os
import subprocess
import sys

import pytest

from mobilenet_edge import progress

PROGRAM = """
from mobilenet_edge import progress
with progress.bar("scoring", 3) as advance:
    for _ in range(3):
        advance()
print("result")
"""


def test_without_a_terminal_there_is_nothing(capsys):
    with progress.bar("scoring", 3) as advance:
        for _ in range(3):
            advance()
    assert capsys.readouterr() == ("", "")


def test_a_failure_inside_passes_through():
    with pytest.raises(KeyError), progress.bar("scoring", 3):
        raise KeyError("x")


def test_more_steps_than_announced_do_no_harm():
    with progress.bar("scoring", 1) as advance:
        advance()
        advance()


@pytest.mark.slow
def test_a_terminal_on_stderr_gets_a_bar_and_stdout_only_the_result():
    ours, theirs = os.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "CI")}
    environment |= {"TERM": "xterm", "COLUMNS": "80"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=theirs, env=environment, check=True
        )
        shown = os.read(ours, 100_000)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.stdout == b"result\n"
    assert b"scoring" in shown
    assert b"3/3" in shown
    # The bar is gone when the work is done: the line is erased and the cursor shown again.
    assert b"\x1b[?25h" in shown
    assert shown.rstrip().endswith(b"\x1b[2K")
