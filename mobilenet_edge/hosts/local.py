"""Run workers on this machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from mobilenet_edge.device.child import Child
from mobilenet_edge.hosts import NO_FILES, Unreachable, environment, payload
from mobilenet_edge.hosts.ahead import workers
from mobilenet_edge.hosts.answer import Ended, late, name_subject, parse
from mobilenet_edge.hosts.pipe import Pipe
from mobilenet_edge.platforms import require_posix

# Modes that a start of another worker does not disturb.
UNTIMED: Final = frozenset(("memory", "ways"))


@dataclass(frozen=True)
class Local:
    """The machine that `mnet` runs on.

    Attributes:
        name: Name in records.
        python: Path of the Python that runs the worker.
        command: Command that starts a worker, None for `python` with the payload.
    """

    name: str = "local"
    python: str = sys.executable
    command: tuple[str, ...] | None = None

    def run(
        self, request: Mapping[str, Any], files: Mapping[str, Path] = NO_FILES, *, limit_seconds: float
    ) -> dict[str, Any]:
        """Run one request, as `Host.run`; the worker never outlives this call or this process."""
        subject = name_subject(request, files)
        with self._start(request.get("mode")) as worker:
            with worker.deadline(limit_seconds):
                worker.write(_line({**request, "leased": True}, files))
                if request.get("mode") in UNTIMED and self.command is None:
                    workers.start(self.python)
                # stdin stays open, because its end stops the worker.
                stdout, code = worker.stdout.read(), worker.wait()
            if worker.late:
                raise late(subject, limit_seconds)
            return parse(Ended(code, stdout, worker.stderr()), subject)

    @contextmanager
    def stream(
        self, request: Mapping[str, Any], files: Mapping[str, Path] = NO_FILES, *, limit_seconds: float
    ) -> Iterator[Pipe]:
        """Start a worker that answers a stream, as `Host.stream`."""
        with self._start(request.get("mode")) as worker:
            pipe = Pipe(worker, name_subject(request, files), limit_seconds)
            pipe.write(_line(request, files))
            yield pipe

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: each call has ended its worker."""

    def _start(self, mode: str | None) -> Child:
        require_posix()
        if self.command is None and mode != "setup" and (waiting := workers.take(self.python)) is not None:
            return waiting
        command = self.command or (self.python, str(payload.path()))
        try:
            return Child(command, env=environment.of_worker(mode))
        except OSError as error:
            raise Unreachable(f"{command[0]} cannot be started: {error.strerror}; check the path of python") from error


def _line(request: Mapping[str, Any], files: Mapping[str, Path]) -> bytes:
    paths = {field: str(file.resolve()) for field, file in files.items()}
    return json.dumps({**request, **paths}).encode() + b"\n"
