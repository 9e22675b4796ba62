"""This machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mobilenet_edge.hosts import NO_FILES, Unreachable, environment, parcel
from mobilenet_edge.hosts.answer import Ended, late, parse, subject
from mobilenet_edge.platforms import require_posix


@dataclass(frozen=True)
class Local:
    """The machine `mnet` runs on.

    Attributes:
        name: In records.
        python: Runs the worker.
        command: Starts a worker, None for `python` with the parcel.
    """

    name: str = "local"
    python: str = sys.executable
    command: tuple[str, ...] | None = None

    def run(
        self, request: Mapping[str, Any], files: Mapping[str, Path] = NO_FILES, *, limit_seconds: float
    ) -> dict[str, Any]:
        """Answer one request, as `Host.run`; no worker outlives this call, or this process."""
        paths = {field: str(file.resolve()) for field, file in files.items()}
        line = json.dumps({**request, **paths, "leased": True}) + "\n"
        about = subject(request, files)
        with self._start(request.get("mode")) as worker:
            try:
                return parse(_converse(worker, line.encode(), limit_seconds), about)
            except subprocess.TimeoutExpired as error:
                raise late(about, limit_seconds) from error
            finally:
                _kill(worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing: each call ended its worker."""

    def _start(self, mode: str | None) -> subprocess.Popen[bytes]:
        require_posix()
        command = self.command or (self.python, str(parcel.path()))
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=environment.of_worker(mode),
                # Ctrl-C is for mnet alone, which then ends the worker.
                start_new_session=True,
            )
        except OSError as error:
            raise Unreachable(f"{command[0]} cannot be started: {error.strerror}; check the path of python") from error


def _kill(worker: subprocess.Popen[bytes]) -> None:
    # With whatever it started: it leads a group of its own, which may be gone already.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(worker.pid, signal.SIGKILL)


def _converse(worker: subprocess.Popen[bytes], line: bytes, limit_seconds: float) -> Ended:
    lease, worker.stdin = worker.stdin, None  # or communicate() would close it, and with it end the worker
    if lease is None:
        raise ValueError("the worker has no stdin")
    with lease:
        # Where it died at once, its exit code says more.
        with suppress(BrokenPipeError):
            lease.write(line)
        stdout, stderr = worker.communicate(timeout=limit_seconds)
    return Ended(worker.returncode, stdout, stderr)
