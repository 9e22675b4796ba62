"""One process after another: counted on a bar, and with a pause in between for the machine to cool."""

from __future__ import annotations

import time
from collections.abc import Callable

from mobilenet_edge.errors import MnetError
from mobilenet_edge.hosts import Unreachable
from mobilenet_edge.progress import Bar


class Pace:
    """Does the processes of one machine, one at a time."""

    def __init__(self, bar: Bar, cooldown_seconds: float = 0.0, sleep: Callable[[float], object] = time.sleep) -> None:
        self._bar, self._cooldown, self._sleep = bar, cooldown_seconds, sleep
        self._begun = False

    def __call__(self, what: str, work: Callable[[], object], seconds: float = 0.0) -> MnetError | None:
        """Do one process's work, which takes at least so many seconds.

        Returns:
            How it failed, None where it did not.

        Raises:
            Unreachable: There is no use in another.
        """
        if self._begun and self._cooldown:
            self._sleep(self._cooldown)
        self._begun = True
        self._bar.now(what, seconds)
        try:
            work()
        except Unreachable:
            raise
        except MnetError as error:
            return error
        finally:
            self._bar.advance()
        return None

    def extend(self, processes: int) -> None:
        """Announce processes that nobody knew of at the beginning."""
        self._bar.extend(processes)
