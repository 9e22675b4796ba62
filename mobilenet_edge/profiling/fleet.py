"""Run work on several machines in parallel, one thread each."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Output = TypeVar("Output")


def run_parallel(work: Callable[[Item], Output], items: Sequence[Item]) -> Iterator[tuple[int, Output]]:
    """Call `work` on all items in parallel.

    A single item is processed in the calling thread.

    Args:
        work: Function of one item.
        items: Items; each gets its own thread.

    Yields:
        Index and result of each item, as it completes.

    Raises:
        BaseException: The first error of `work`, without waiting for the other items.
    """
    if len(items) == 1:
        yield 0, work(items[0])
        return
    results: queue.SimpleQueue[tuple[int, Output | None, BaseException | None]] = queue.SimpleQueue()
    for index, item in enumerate(items):
        # Daemon threads end with the process on Ctrl-C; its pipes then close, which ends the workers.
        threading.Thread(target=_put_result, args=(work, index, item, results), daemon=True).start()
    for _ in items:
        index, output, error = results.get()
        if error is not None:
            raise error
        yield index, output  # type: ignore[misc]


def _put_result(
    work: Callable[[Item], Output],
    index: int,
    item: Item,
    results: queue.SimpleQueue[tuple[int, Output | None, BaseException | None]],
) -> None:
    try:
        results.put((index, work(item), None))
    except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
        results.put((index, None, error))
