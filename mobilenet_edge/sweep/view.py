"""What a sweep shows while it is at work, on stderr: a bar on a terminal, a line for each stage elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mobilenet_edge import progress
from mobilenet_edge.text import printable

if TYPE_CHECKING:
    from rich.console import Console

Done = Callable[[str], None]


@contextmanager
def phase(verb: str, total: int, console: Console | None = None) -> Iterator[Done]:
    """Show the stages of one verb; call what is yielded with the subject of each as it is done.

    Args:
        verb: What is done: "build".
        total: How many stages there are to do.
        console: Where; stderr by default.
    """
    from rich.console import Console

    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield _StageLines(console, verb, total).done
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[last]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as drawn:
        task = drawn.add_task(verb, total=total, last="")
        yield lambda subject: drawn.update(task, advance=1, last=f"done: {printable(subject)}")


class _StageLines:
    def __init__(self, console: Console, verb: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._verb, self._total, self._clock = console, verb, total, clock
        self._count, self._began = 0, clock()

    def done(self, subject: str) -> None:
        self._count += 1
        elapsed = self._clock() - self._began
        left = elapsed / self._count * (self._total - self._count)
        text = f"{self._verb} {self._count}/{self._total} {subject} ({elapsed:.0f} s, {left:.0f} s left)"
        progress.print_line(self._console, text)
