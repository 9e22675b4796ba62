"""What a sweep shows while it is at work."""

from __future__ import annotations

import io

from rich.console import Console

from mobilenet_edge.sweep import view


def test_a_line_for_each_stage_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    lines = view._StageLines(Console(file=out), "export", 4, clock=iter((100.0, 102.0, 106.0)).__next__)
    lines.done("a")
    lines.done("b [red]")
    # 2 s for one of four leave 6; 6 s for two leave 6.
    assert out.getvalue() == "export 1/4 a (2 s, 6 s left)\nexport 2/4 b [red] (6 s, 6 s left)\n"


def test_a_bar_on_a_terminal() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, legacy_windows=False)
    with view.phase("build", 2, console) as done:
        done("mobilenet_v1-a0.25-r32")
    text = out.getvalue()
    assert "build" in text
    assert "1/2" in text
    assert "done: mobilenet_v1-a0.25-r32" in text
