"""Run the processes of one machine in sequence, with a progress bar and pauses for cooling."""

from __future__ import annotations

import time
from collections.abc import Callable

from mobilenet_edge.errors import MnetError
from mobilenet_edge.hosts import Unreachable
from mobilenet_edge.progress import Bar


class Pace:
    """Runner of the processes of one machine, one at a time."""

    def __init__(self, bar: Bar, cooldown_seconds: float = 0.0, sleep: Callable[[float], object] = time.sleep) -> None:
        self._bar, self._cooldown, self._sleep = bar, cooldown_seconds, sleep
        self._started = False

    def __call__(self, title: str, work: Callable[[], object], seconds: float = 0.0) -> MnetError | None:
        """Run one process.

        Args:
            title: Text for the progress bar.
            work: Function that runs the process.
            seconds: Minimum duration of the process.

        Returns:
            Error of the process, or None.

        Raises:
            Unreachable: The machine cannot be reached, so further processes would fail too.
        """
        if self._started and self._cooldown:
            self._sleep(self._cooldown)
        self._started = True
        self._bar.now(title, seconds)
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
        """Add processes to the length of the bar."""
        self._bar.extend(processes)
