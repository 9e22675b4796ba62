"""A pool on this machine: processes that are started once and answer many requests."""

from __future__ import annotations

import json
import os
import queue
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final, Self

from mobilenet_edge import cpus
from mobilenet_edge.device import memory
from mobilenet_edge.device.child import Child
from mobilenet_edge.errors import HostError
from mobilenet_edge.hosts.answer import last_line
from mobilenet_edge.hosts.environment import of_package
from mobilenet_edge.platforms import require_posix
from mobilenet_edge.workers.pool import AHEAD, Answer, Request, failed, lost

WORKER: Final = "mobilenet_edge.workers.program"
# The longest request, an export of alpha 1.0 at 224 pixels with the best effort, takes minutes.
LIMIT_SECONDS: Final = 3600.0


def fitting(wanted: int | None, bytes_each: int) -> int:
    """How many processes: as many as wanted, by default as cores, but no more than fit into the memory that is free.

    Args:
        wanted: At least 1, or None.
        bytes_each: What one takes at its peak.
    """
    many = wanted or len(cpus.available())
    free = memory.available_bytes()
    return many if free is None else max(1, min(many, free // bytes_each))


class ProcessPool:
    """Processes of this machine, each on its share of the cores; see `pool.WorkerPool`.

    Args:
        function: What answers, "package.module:name".
        size: How many there are.
        limit_seconds: How long one may take over a request before it is given up.
        inherited: File descriptors that they hold, too.
        temporary: Their folder for temporary files, None for the usual one.

    Attributes:
        size: How many there are.
        remote: They have this machine's files.
    """

    remote = False

    def __init__(
        self,
        function: str,
        size: int,
        *,
        limit_seconds: float = LIMIT_SECONDS,
        inherited: Sequence[int] = (),
        temporary: Path | None = None,
    ) -> None:
        require_posix()
        self.size = size
        numbers = cpus.available()
        shares = [numbers[index::size] or [numbers[index % len(numbers)]] for index in range(size)]
        self._members = [_Member(function, share, limit_seconds, inherited, temporary) for share in shares]
        # The last to be done is the next to be asked: its process is there, and what it has open.
        self._idle: queue.LifoQueue[_Member] = queue.LifoQueue()
        for member in self._members:
            self._idle.put(member)
        self._closing = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Twice where a run was broken off: at first some are still waited for.
        self._closing = True
        for member in self._members:
            member.kill()
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def run(self, requests: Iterable[Request]) -> Iterator[tuple[int, Answer]]:
        """As `pool.WorkerPool.run`."""
        waiting = enumerate(requests)
        with ThreadPoolExecutor(self.size) as threads:
            futures: dict[Future[Answer], int] = {}
            try:
                while True:
                    for index, request in islice(waiting, AHEAD * self.size - len(futures)):
                        futures[threads.submit(self._ask, request)] = index
                    if not futures:
                        return
                    for future in wait(futures, return_when=FIRST_COMPLETED).done:
                        yield futures.pop(future), future.result()
            except BaseException:
                # The threads wait for their processes, and the pool for its threads.
                self.__exit__()
                threads.shutdown(cancel_futures=True)
                raise

    def _ask(self, request: Request) -> Answer:
        member = self._idle.get()
        try:
            answer = member.ask(request)
            if answer is None and not self._closing:
                answer = member.ask(request)
            return lost(member.last_words()) if answer is None else answer
        finally:
            self._idle.put(member)


class _Member:
    """A place in the pool: its process is started when it is first needed, and again when it was lost."""

    def __init__(
        self,
        function: str,
        cpus: Sequence[int],
        limit_seconds: float,
        inherited: Sequence[int],
        temporary: Path | None,
    ) -> None:
        self._words = (sys.executable, "-m", WORKER, function, ",".join(map(str, cpus)))
        self._limit_seconds, self._inherited = limit_seconds, tuple(inherited)
        self._environment = {} if temporary is None else {"TMPDIR": str(temporary)}
        self._child: Child | None = None
        self._stderr = b""

    def ask(self, request: Request) -> Answer | None:
        """Answer a request; None where the process ended instead. One that takes too long is killed."""
        if self._child is None:
            environment = {**os.environ, **of_package(), **self._environment}
            self._child = Child(self._words, env=environment, pass_fds=self._inherited)
        child = self._child
        with child.deadline(self._limit_seconds):
            child.write(json.dumps(request).encode() + b"\n")
            line = child.stdout.readline()
        if line.endswith(b"\n"):
            answer: Answer = json.loads(line)
            return answer
        self._stderr = child.stderr()
        self.close()
        if child.late:
            told = f"its process did not answer within {self._limit_seconds:.0f} s and was ended; run it again"
            return failed(HostError(told))
        return None

    def last_words(self) -> str:
        """Return the last line that the process wrote to stderr before it ended."""
        return last_line(self._stderr)

    def kill(self) -> None:
        """Kill the process, if there is one; who waits for its answer sees it end."""
        if self._child is not None:
            self._child.kill()

    def close(self) -> None:
        """Kill the process and close its pipes; not while somebody waits for its answer."""
        if self._child is not None:
            self._child.close()
            self._child = None
