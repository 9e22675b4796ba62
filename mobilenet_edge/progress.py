"""Show progress on stderr: bars on a terminal, otherwise at most one line per minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from mobilenet_edge.text import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

Advance = Callable[[], None]

# Minimum time between two lines in a log; longer silence would look like a hang.
LINE_SECONDS: Final = 60.0


class Bar(Protocol):
    """Progress of work with a known number of steps; its methods may be called from any thread."""

    def advance(self) -> None:
        """Count one step as done."""

    def extend(self, steps: int) -> None:
        """Add steps to the total."""

    def now(self, what: str, seconds: float = 0.0) -> None:
        """Show the current step and, if it is long, its minimum duration in seconds."""


Board = Callable[[str, int], Bar]
# Called with a description, the steps done and their total.
Listener = Callable[[str, int, int], object]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def report_to(listener: Listener) -> Iterator[None]:
    """Report all progress to a function while the block runs, instead of showing it."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def board() -> Iterator[Board]:
    """Show several bars while the block runs, and yield a function from a description and a total to a new bar."""
    if (listener := _listener.get()) is not None:
        yield lambda description, total: _Reported(listener, description, total)
        return
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda description, total: _LineBar(console, description, total)
        return
    with _progress(console) as progress:
        yield lambda description, total: _RichBar(
            progress, progress.add_task(printable(description), total=total, what="")
        )


def print_line(console: Console, text: str) -> None:
    """Print one line without control characters, markup or wrapping."""
    console.print(printable(text), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def bar(description: str, total: int) -> Iterator[Advance]:
    """Show a bar while the block runs, and yield a function that counts one of `total` steps as done."""
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


@dataclass
class _Reported:
    listener: Listener
    description: str
    total: int
    done: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def advance(self) -> None:
        with self.lock:
            self.done += 1
            self.listener(self.description, self.done, self.total)

    def extend(self, steps: int) -> None:
        self.total += steps

    def now(self, what: str, seconds: float = 0.0) -> None:
        self.listener(f"{self.description}: {what}", self.done, self.total)


@dataclass(frozen=True)
class _RichBar:
    progress: Progress
    task: TaskID

    def advance(self) -> None:
        self.progress.advance(self.task)

    def extend(self, steps: int) -> None:
        total = next(task.total or 0 for task in self.progress.tasks if task.id == self.task)
        self.progress.update(self.task, total=total + steps)

    def now(self, what: str, seconds: float = 0.0) -> None:
        self.progress.update(self.task, what=f"{printable(what)}{_format_duration(seconds)}")


@dataclass
class _LineBar:
    console: Console
    description: str
    total: int
    done: int = 0
    clock: Callable[[], float] = time.monotonic
    started: float = field(init=False)
    printed: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.printed = self.clock()

    def advance(self) -> None:
        self.done += 1
        self._print(f"{self.done} of {self.total}")

    def extend(self, steps: int) -> None:
        self.total += steps

    def now(self, what: str, seconds: float = 0.0) -> None:
        self._print(
            f"{self.done} of {self.total}, now {what}{_format_duration(seconds)}", force=seconds >= LINE_SECONDS
        )

    def _print(self, text: str, *, force: bool = False) -> None:
        now = self.clock()
        if force or now - self.printed >= LINE_SECONDS:
            self.printed = now
            line = f"{self.description}: {text}, {(now - self.started) / 60:.0f} min elapsed"
            print_line(self.console, line)


def _format_duration(seconds: float) -> str:
    return f" ({seconds / 60:.0f} min)" if seconds >= LINE_SECONDS else ""
