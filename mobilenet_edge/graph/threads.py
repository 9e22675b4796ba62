"""Share work on batches of images out to threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from mobilenet_edge import cpus
from mobilenet_edge.errors import MissingExtraError


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
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(len(cpus.available())) as pool:
        yield pool
