"""A bar on a terminal, silence elsewhere, and never a word on stdout."""

import io
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


def test_a_board_without_a_terminal_is_silent_for_a_minute(capsys):
    with progress.board() as show:
        one, two = show("profile on a", 2), show("profile on b", 3)
        one.now("a.tflite")
        one.extend(1)
        one.advance()
        two.advance()
    assert capsys.readouterr() == ("", "")


def test_long_work_says_a_line_a_minute():
    from rich.console import Console

    ticks = iter([0, 59, 61, 90, 121, 200, 201])
    console = Console(file=io.StringIO(), width=40)
    bar = progress._LineBar(console, "profile on pi4", 3, clock=lambda: next(ticks))
    bar.advance()  # after 59 s: nothing
    bar.now("a-very-long-name-that-is-not-to-be-wrapped.tflite")
    bar.extend(2)
    bar.now("b.tflite")  # 29 s after the last line
    bar.advance()
    bar.advance()
    bar.now("c.tflite", 600)  # which is said beforehand
    assert console.file.getvalue().splitlines() == [
        "profile on pi4: 1 of 3, now a-very-long-name-that-is-not-to-be-wrapped.tflite, 1 min elapsed",
        "profile on pi4: 2 of 5, 2 min elapsed",
        "profile on pi4: 3 of 5, 3 min elapsed",
        "profile on pi4: 3 of 5, now c.tflite (10 min), 3 min elapsed",
    ]


def test_bars_of_a_terminal_can_grow_and_say_what_is_done():
    from rich.console import Console

    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with progress._progress(console) as shown:
        bars = [progress._RichBar(shown, shown.add_task(name, total=2, what="")) for name in ("on a", "on [b]")]
        bars[1].advance()
        bars[1].extend(3)
        bars[1].now("m[1].tflite")
        shown.refresh()
    drawn = console.file.getvalue()
    assert "0/2" in drawn
    assert "1/5" in drawn
    # Names are no markup.
    assert "on [b]" in drawn
    assert "m[1].tflite" in drawn


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
