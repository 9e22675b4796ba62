"""Show the progress of a sweep on stderr, as a bar on a terminal, else as one line per stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mobilenet_edge import progress
from mobilenet_edge.text import printable

if TYPE_CHECKING:
    from rich.console import Console

Advance = Callable[[str], None]


@contextmanager
def phase(verb: str, total: int, console: Console | None = None) -> Iterator[Advance]:
    """Show the stages of one verb.

    Args:
        verb: Verb of the stages, such as "build".
        total: Number of stages.
        console: Console to write to; stderr by default.

    Yields:
        Function to call with the subject of each completed stage.
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
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(verb, total=total, last="")
        yield lambda subject: bar.update(task, advance=1, last=f"done: {printable(subject)}")


class _StageLines:
    def __init__(self, console: Console, verb: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._verb, self._total, self._clock = console, verb, total, clock
        self._count, self._start = 0, clock()

    def done(self, subject: str) -> None:
        self._count += 1
        elapsed = self._clock() - self._start
        remaining = elapsed / self._count * (self._total - self._count)
        text = f"{self._verb} {self._count}/{self._total} {subject} ({elapsed:.0f} s, {remaining:.0f} s left)"
        progress.print_line(self._console, text)
