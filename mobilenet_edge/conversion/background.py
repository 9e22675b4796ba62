"""Work in a thread of its own, beside what does not need its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from threading import Event
from typing import TypeVar

from mobilenet_edge.graph import threads

T = TypeVar("T")


@contextmanager
def start(
    pool: Executor, work: Callable[[Callable[[], None]], T], step: Callable[[], None] = lambda: None
) -> Iterator[Future[T]]:
    """Start work, and stop it where the block is left before its end.

    Args:
        pool: Where it runs.
        work: Given a function to call after each of its steps. It is stopped there, and where it shares work out to
            `threads.workers`.
        step: Called after each step, from another thread.
    """
    left = Event()

    def count() -> None:
        if left.is_set():
            raise CancelledError
        step()

    def run() -> T:
        with threads.until(left):
            return work(count)

    future = pool.submit(run)
    try:
        yield future
    finally:
        left.set()
