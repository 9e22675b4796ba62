"""Start the workers of the next requests while nothing is timed, so that their start takes no time of its own.

They are fresh processes like any other: they have imported numpy, and wait for a request without using a CPU.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from mobilenet_edge.device import memory
from mobilenet_edge.device.child import Child
from mobilenet_edge.device.worker import AHEAD, READY
from mobilenet_edge.errors import MnetError
from mobilenet_edge.hosts import environment, payload
from mobilenet_edge.platforms import require_posix

# A worker that waits holds about 30 MB, which a small machine needs for the model.
MAX_WAITING: Final = 4
MIN_AVAILABLE_BYTES: Final = 1 << 30
READY_SECONDS: Final = 60.0


class Workers:
    """Workers without a request yet, of one Python each; there are some only within `block`."""

    def __init__(self) -> None:
        # Several names of this machine are measured in threads of their own.
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Child]] = {}
        self._limits: list[int] = []

    @contextmanager
    def block(self, count: int) -> Iterator[None]:
        """Allow up to `count` workers to wait, and end those that nobody took with the outermost block."""
        self._limits.append(min(count, MAX_WAITING))
        try:
            yield
        finally:
            with self._lock:
                self._limits.pop()
                for children in self._waiting.values():
                    while len(children) > max(self._limits, default=0):
                        children.pop().close()

    def start(self, python: str = sys.executable) -> None:
        """Start as many workers as may wait; what keeps one from starting, its request will explain."""
        if (memory.available_bytes() or 0) < MIN_AVAILABLE_BYTES:
            return
        with self._lock, suppress(OSError, MnetError):
            children = self._waiting.setdefault(python, [])
            require_posix()
            command = (python, str(payload.path()), AHEAD)
            while len(children) < max(self._limits, default=0):
                children.append(Child(command, env=environment.of_worker()))

    def take(self, python: str) -> Child | None:
        """Wait until no worker is starting any more, and return one, or None if there is none."""
        with self._lock:
            children = self._waiting.get(python, [])
            for child in list(children):
                if not _is_ready(child):
                    children.remove(child)
                    child.close()
            return children.pop() if children else None


def _is_ready(child: Child) -> bool:
    """Wait until a worker has said that it is ready; return whether it is, and still runs."""
    if not child.greeted:
        with child.deadline(READY_SECONDS):
            child.greeted = child.stdout.readline() == READY
    return child.greeted and child.running()


workers: Final = Workers()
