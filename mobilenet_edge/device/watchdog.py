"""Act when a block of code takes too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Watchdog:
    """Limits the time of blocks, one after the other, in one thread for all of them.

    A thread for each block would cost more than many a block does.

    Args:
        act: Called, in that thread, when a block takes longer than its limit.
    """

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._changed = threading.Condition()
        self._due: float | None = None
        # When the thread looks again; None where there is no thread.
        self._looks: float | None = None

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Limit the time of a block."""
        with self._changed:
            self._due = time.monotonic() + seconds
            if self._looks is None:
                self._looks = self._due
                threading.Thread(target=self._watch, daemon=True).start()
            elif self._due < self._looks:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._due = None

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._due = None
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while self._due is not None:
                left = self._due - time.monotonic()
                if left <= 0:
                    self._due = None
                    self._act()
                else:
                    self._looks = self._due
                    self._changed.wait(left)
            self._looks = None
