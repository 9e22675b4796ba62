"""Share work on batches of images out to threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event
from typing import ParamSpec, TypeVar

from mobilenet_edge import cpus
from mobilenet_edge.errors import MissingExtraError

P = ParamSpec("P")
T = TypeVar("T")

# Set once nobody waits any more for what this thread computes.
_left: ContextVar[Event | None] = ContextVar("left", default=None)


class _Pool(ThreadPoolExecutor):
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        left = _left.get()

        def call() -> T:
            if left is not None and left.is_set():
                raise CancelledError
            return fn(*args, **kwargs)

        return super().submit(call)


@contextmanager
def workers() -> Iterator[ThreadPoolExecutor]:
    """Start a thread for each CPU that this process may use, and keep BLAS from starting any of its own.

    Raises:
        MissingExtraError: threadpoolctl is not installed.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise MissingExtraError("running a graph needs threadpoolctl", "build") from error
    with threadpool_limits(1, "blas"), _Pool(len(cpus.available())) as pool:
        yield pool


@contextmanager
def until(left: Event) -> Iterator[None]:
    """Begin nothing more in the pools of this thread once an event is set; what waits for them gets CancelledError."""
    token = _left.set(left)
    try:
        yield
    finally:
        _left.reset(token)
