"""A child process that answers over its pipes: started in a session of its own, killed with all that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, cast


class Child:
    """A running command; leaving its block kills it.

    Args:
        command: The program and its arguments.
        env: Its environment, None for this process's.
        cwd: Its current folder, None for this process's.
        pass_fds: File descriptors that it inherits.

    Attributes:
        stdin: Its standard input.
        stdout: Its standard output.
        late: A deadline passed, and it was killed.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.late = False
        # A file, since nobody reads along and a full pipe would stop the child.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                env=env,
                cwd=cwd,
                pass_fds=tuple(pass_fds),
                start_new_session=True,  # Ctrl-C is for this process alone, which then ends the child
            )
        except BaseException:
            self._stderr.close()
            raise
        self.stdin, self.stdout = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        """Write to its stdin; where it is gone, its exit code and stderr say more than the broken pipe."""
        with suppress(BrokenPipeError):
            self.stdin.write(data)
            self.stdin.flush()

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Kill the child when the block takes longer: reading and writing then end, wherever they wait."""

        def end() -> None:
            self.late = True
            self.kill()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def kill(self) -> None:
        """Kill it and whatever it started; its session may be gone already."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self, seconds: float | None = None) -> int:
        """Return its exit code, negative for the signal that ended it.

        Raises:
            subprocess.TimeoutExpired: It runs on after `seconds`.
        """
        return self._process.wait(seconds)

    def stderr(self) -> bytes:
        """Return what it has written to stderr."""
        self._stderr.seek(0)
        return self._stderr.read()

    def close(self) -> None:
        """Kill it and close its pipes."""
        self.kill()
        with suppress(BrokenPipeError):  # closing flushes what it did not read
            self.stdin.close()
        self.stdout.close()
        self._process.wait()
        self._stderr.close()
