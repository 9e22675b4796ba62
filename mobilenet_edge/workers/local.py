"""A crew on this machine: processes that are started once and answer many requests."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final, Self

from mobilenet_edge import cpus
from mobilenet_edge.errors import HostError
from mobilenet_edge.hosts.environment import of_package
from mobilenet_edge.platforms import require_posix
from mobilenet_edge.workers.pool import AHEAD, Answer, Request, failed, lost

WORKER: Final = "mobilenet_edge.workers.worker"
# The longest request, an export of alpha 1.0 at 224 pixels with the best effort, takes minutes.
LIMIT_SECONDS: Final = 3600.0


def fitting(wanted: int | None, bytes_each: int) -> int:
    """How many processes: as many as wanted, by default as cores, but no more than fit into the memory that is free.

    Args:
        wanted: At least 1, or None.
        bytes_each: What one takes at its peak.
    """
    many = wanted or len(cpus.available())
    free = _available_bytes()
    return many if free is None else max(1, min(many, free // bytes_each))


class Crew:
    """Processes of this machine, each on its share of the cores; see `jobs.Crew`.

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
        """As `jobs.Crew.run`."""
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
    """A place in the crew: its process is started when it is first needed, and again when it was lost."""

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
        self._process: subprocess.Popen[str] | None = None
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the place

    def ask(self, request: Request) -> Answer | None:
        """Answer a request; None where the process ended instead. One that takes too long is killed."""
        if self._process is None:
            self._process = subprocess.Popen(
                self._words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                text=True,
                env={**os.environ, **of_package(), **self._environment},
                # Ctrl-C is for mnet alone, which then ends the crew.
                start_new_session=True,
                pass_fds=self._inherited,
            )
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise ValueError("the process has no pipes")
        late = threading.Event()
        timer = threading.Timer(self._limit_seconds, _end, (self._process, late))
        timer.daemon = True
        timer.start()
        with suppress(BrokenPipeError):
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
        line = stdout.readline()
        timer.cancel()
        if line.endswith("\n"):
            answer: Answer = json.loads(line)
            return answer
        self.reap()
        if late.is_set():
            told = f"its process did not answer within {self._limit_seconds:.0f} s and was ended; run it again"
            return failed(HostError(told))
        return None

    def last_words(self) -> str:
        """The last line that the process wrote to stderr."""
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").split("\n")
        return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "it said nothing")

    def kill(self) -> None:
        """Kill the process, if there is one; who waits for its answer sees it end."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End for good; not while somebody waits for an answer."""
        self.reap()
        self._said.close()

    def reap(self) -> None:
        """Kill the process and let go of its pipes; not while somebody waits for its answer."""
        if self._process is not None:
            with self._process as process:
                process.kill()
            self._process = None


def _end(process: subprocess.Popen[str], late: threading.Event) -> None:
    late.set()
    process.kill()


def _available_bytes() -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None
