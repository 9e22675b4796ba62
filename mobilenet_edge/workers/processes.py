"""Run a pool of processes on this machine, each of which answers many requests."""

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
from mobilenet_edge.workers.pool import REQUESTS_PER_PROCESS, Answer, Request, failed, lost

WORKER: Final = "mobilenet_edge.workers.program"
# The longest request, an export of alpha 1.0 at 224 pixels with the highest effort, takes minutes.
LIMIT_SECONDS: Final = 3600.0


def choose_size(requested: int | None, bytes_per_process: int) -> int:
    """Choose the number of processes: the requested one, but no more than fit into the available memory.

    Args:
        requested: Requested number, at least 1; None for the number of CPUs.
        bytes_per_process: Peak memory of a process, in bytes.
    """
    count = requested or len(cpus.available())
    free = memory.available_bytes()
    return count if free is None else max(1, min(count, free // bytes_per_process))


class ProcessPool:
    """Processes on this machine, each on its share of the CPUs; see `pool.WorkerPool`.

    Args:
        function: The function that answers requests, "package.module:name".
        size: Number of processes.
        limit_seconds: Maximum time for one request, in seconds.
        inherited: File descriptors that the processes inherit.
        temporary: Folder for their temporary files, None for the default.

    Attributes:
        size: Number of processes.
        remote: False, since the processes share the files of this machine.
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
        self._workers = [_Worker(function, share, limit_seconds, inherited, temporary) for share in shares]
        # Last in, first out: the worker used last has a running process with open files.
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._closing = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Called twice after an interrupted run: some workers are still in use at the first call.
        self._closing = True
        for worker in self._workers:
            worker.kill()
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def run(self, requests: Iterable[Request]) -> Iterator[tuple[int, Answer]]:
        """Answer requests, as `pool.WorkerPool.run`."""
        numbered = enumerate(requests)
        with ThreadPoolExecutor(self.size) as threads:
            futures: dict[Future[Answer], int] = {}
            try:
                while True:
                    for index, request in islice(numbered, REQUESTS_PER_PROCESS * self.size - len(futures)):
                        futures[threads.submit(self._answer, request)] = index
                    if not futures:
                        return
                    for future in wait(futures, return_when=FIRST_COMPLETED).done:
                        yield futures.pop(future), future.result()
            except BaseException:
                # Ends the processes first, since the executor waits for its threads and they for their processes.
                self.__exit__()
                threads.shutdown(cancel_futures=True)
                raise

    def _answer(self, request: Request) -> Answer:
        worker = self._idle.get()
        try:
            answer = worker.ask(request)
            if answer is None and not self._closing:
                answer = worker.ask(request)
            return lost(worker.last_stderr_line()) if answer is None else answer
        finally:
            self._idle.put(worker)


class _Worker:
    """A member of the pool, which starts its process at the first request and again after it died."""

    def __init__(
        self,
        function: str,
        cpus: Sequence[int],
        limit_seconds: float,
        inherited: Sequence[int],
        temporary: Path | None,
    ) -> None:
        self._command = (sys.executable, "-m", WORKER, function, ",".join(map(str, cpus)))
        self._limit_seconds, self._inherited = limit_seconds, tuple(inherited)
        self._environment = {} if temporary is None else {"TMPDIR": str(temporary)}
        self._child: Child | None = None
        self._stderr = b""

    def ask(self, request: Request) -> Answer | None:
        """Answer a request, or return None if the process died; a process that takes too long is killed."""
        if self._child is None:
            environment = {**os.environ, **of_package(), **self._environment}
            self._child = Child(self._command, env=environment, pass_fds=self._inherited)
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
            message = f"its process did not answer within {self._limit_seconds:.0f} s and was killed; run it again"
            return failed(HostError(message))
        return None

    def last_stderr_line(self) -> str:
        """Return the last line that the process wrote to stderr before it ended."""
        return last_line(self._stderr)

    def kill(self) -> None:
        """Kill the process, if there is one, which also ends a pending `ask`."""
        if self._child is not None:
            self._child.kill()

    def close(self) -> None:
        """Kill the process and close its pipes; not allowed during `ask`."""
        if self._child is not None:
            self._child.close()
            self._child = None
