"""Several machines at once, each in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def at_once(work: Callable[[Item], Made], items: Sequence[Item]) -> Iterator[tuple[int, Made]]:
    """Do `work` on all items at the same time; yield index and result of each as it comes.

    Where `work` fails, this does, and does not wait for the others. A single item is worked on in this very thread.
    """
    if len(items) == 1:
        yield 0, work(items[0])
        return
    done: queue.SimpleQueue[tuple[int, Made | None, BaseException | None]] = queue.SimpleQueue()
    for index, item in enumerate(items):
        # Daemons: on Ctrl-C the process ends with them, its pipes close, and with the pipes end all workers.
        threading.Thread(target=_one, args=(work, index, item, done), daemon=True).start()
    for _ in items:
        index, made, error = done.get()
        if error is not None:
            raise error
        yield index, made  # type: ignore[misc]


def _one(
    work: Callable[[Item], Made],
    index: int,
    item: Item,
    done: queue.SimpleQueue[tuple[int, Made | None, BaseException | None]],
) -> None:
    try:
        done.put((index, work(item), None))
    except BaseException as error:  # noqa: BLE001 - raised again, in the thread that waits
        done.put((index, None, error))
