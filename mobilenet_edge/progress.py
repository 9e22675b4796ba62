"""Progress on stderr: bars on a terminal, at most a line a minute elsewhere. stdout carries results only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from mobilenet_edge.text import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

Advance = Callable[[], None]

# So long without a word looks like a hang; a log that is read later wants no more.
QUIET_SECONDS: Final = 60.0


class Bar(Protocol):
    """Work of a known number of steps; may be called from any thread."""

    def advance(self) -> None:
        """Count a step as done."""

    def extend(self, steps: int) -> None:
        """Add steps that nobody knew of at the beginning."""

    def now(self, what: str, seconds: float = 0.0) -> None:
        """Say what is being done, and how long at least where that is long."""


Board = Callable[[str, int], Bar]


@contextmanager
def board() -> Iterator[Board]:
    """Show several bars under each other while the block runs; call what is yielded with a description and a total."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda description, total: _Lines(console, description, total)
        return
    with _progress(console) as progress:
        yield lambda named, total: _Drawn(progress, progress.add_task(printable(named), total=total, what=""))


def print_line(console: Console, text: str) -> None:
    """Print one line as it is, without control characters, markup or wrapping."""
    console.print(printable(text), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def bar(description: str, total: int) -> Iterator[Advance]:
    """Show a bar of `total` steps while the block runs; call what is yielded once a step."""
    with board() as show:
        yield show(description, total).advance


def _progress(console: Console) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.table import Column

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[what]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
        console=console,
        transient=True,
    )


@dataclass(frozen=True)
class _Drawn:
    progress: Progress
    task: TaskID

    def advance(self) -> None:
        self.progress.advance(self.task)

    def extend(self, steps: int) -> None:
        total = next(each.total or 0 for each in self.progress.tasks if each.id == self.task)
        self.progress.update(self.task, total=total + steps)

    def now(self, what: str, seconds: float = 0.0) -> None:
        self.progress.update(self.task, what=f"{printable(what)}{_lasting(seconds)}")


@dataclass
class _Lines:
    console: Console
    description: str
    total: int
    done: int = 0
    clock: Callable[[], float] = time.monotonic
    began: float = field(init=False)
    spoke: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.spoke = self.clock()

    def advance(self) -> None:
        self.done += 1
        self._speak(f"{self.done} of {self.total}")

    def extend(self, steps: int) -> None:
        self.total += steps

    def now(self, what: str, seconds: float = 0.0) -> None:
        self._speak(f"{self.done} of {self.total}, now {what}{_lasting(seconds)}", at_once=seconds >= QUIET_SECONDS)

    def _speak(self, text: str, *, at_once: bool = False) -> None:
        now = self.clock()
        if at_once or now - self.spoke >= QUIET_SECONDS:
            self.spoke = now
            line = f"{self.description}: {text}, {(now - self.began) / 60:.0f} min gone"
            print_line(self.console, line)


def _lasting(seconds: float) -> str:
    return f" ({seconds / 60:.0f} min)" if seconds >= QUIET_SECONDS else ""
