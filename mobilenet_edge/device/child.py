"""Run a child process that answers over pipes; it is killed together with all processes it started."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import IO, cast

from mobilenet_edge.device.watchdog import Watchdog

_LOG = logging.getLogger(__name__)


class Child:
    """A child process in a session of its own; a context manager that kills it on exit.

    Args:
        command: The program and its arguments.
        env: Environment of the child, None to inherit it.
        cwd: Current folder of the child, None to inherit it.
        pass_fds: File descriptors that the child inherits.

    Attributes:
        stdin: Pipe to the standard input of the child.
        stdout: Pipe from the standard output of the child.
        late: Whether a deadline passed and the child was killed.
        greeted: For the caller, whether the child has said that it is ready.

    Raises:
        OSError: The program cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.late = self.greeted = False
        self._watchdog = Watchdog(self._end)
        _LOG.info("running %.300s", shlex.join(command))
        # A file, because stderr is read only at the end and a full pipe would block the child.
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
                start_new_session=True,  # Ctrl-C reaches only this process, which then kills the child
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
        """Write to the stdin of the child."""
        with suppress(BrokenPipeError):  # the exit code and stderr of a dead child say more
            self.stdin.write(data)
            self.stdin.flush()

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        """Kill the child if the block takes longer, which also ends a blocked read or write."""
        return self._watchdog.limit(seconds)

    def kill(self) -> None:
        """Kill the child and all processes it started."""
        with suppress(ProcessLookupError, PermissionError):  # the session may have ended already
            os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self, seconds: float | None = None) -> int:
        """Wait for the exit code of the child, negative for the signal that ended it.

        Raises:
            subprocess.TimeoutExpired: The child still runs after `seconds`.
        """
        return self._process.wait(seconds)

    def running(self) -> bool:
        """Return whether the child has not ended yet."""
        return self._process.poll() is None

    def stderr(self) -> bytes:
        """Read everything the child has written to stderr."""
        self._stderr.seek(0)
        return self._stderr.read()

    def close(self) -> None:
        """Kill the child and close its pipes."""
        self._watchdog.close()
        self.kill()
        with suppress(BrokenPipeError):  # closing flushes data that the child did not read
            self.stdin.close()
        self.stdout.close()
        self._process.wait()
        self._stderr.close()

    def _end(self) -> None:
        self.late = True
        self.kill()
