"""The streams of a worker that answers bytes by bytes until its stdin ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from mobilenet_edge.device.agent import SIGNALLED
from mobilenet_edge.device.child import Child
from mobilenet_edge.errors import HostError, MnetError
from mobilenet_edge.hosts.answer import Ended, late, parse


class Pipe:
    """A worker that runs; every method kills it when it takes too long.

    Args:
        child: The worker, or the command that connects to it.
        subject: What it works on, for messages.
        limit_seconds: Maximum time of one call.
        device: Name of its device, None for this machine.
        explain: Explains an exit code and stderr that are those of the connection, not of the worker; else None.

    Raises:
        HostError: The worker or the connection ended, or took too long; `read_document` and `read` raise it.
    """

    def __init__(
        self,
        child: Child,
        subject: str,
        limit_seconds: float,
        device: str | None = None,
        explain: Callable[[int, bytes], MnetError | None] = lambda *_: None,
    ) -> None:
        self._child, self._subject, self._limit_seconds = child, subject, limit_seconds
        self._device, self._explain = device, explain

    def write(self, data: bytes) -> None:
        """Write to the stdin of the worker."""
        with self._child.deadline(self._limit_seconds):
            self._child.write(data)

    def read_document(self) -> dict[str, Any]:
        """Read a line of JSON.

        Raises:
            MnetError: It reports an expected failure; see `answer.fault`.
        """
        with self._child.deadline(self._limit_seconds):
            line = self._child.stdout.readline()
        # A worker that reports a failure ends without a line break.
        if not line.endswith((b"\n", b"}")):
            self._fail()
        return parse(Ended(0, line, b""), self._subject, self._device)

    def read(self, size: int) -> bytes:
        """Read `size` bytes."""
        with self._child.deadline(self._limit_seconds):
            data = self._child.stdout.read(size)
        if len(data) < size:
            self._fail()
        return data

    def _fail(self) -> NoReturn:
        code, stderr = self._child.wait(), self._child.stderr()
        if self._child.late:
            raise late(self._subject, self._limit_seconds, self._device)
        if (lost := self._explain(code, stderr)) is not None:
            raise lost
        if code:
            # Over a connection the signal that ended the worker is told as a shell does.
            code = SIGNALLED - code if self._device and code > SIGNALLED else code
            parse(Ended(code, b"", stderr), self._subject, self._device)
        where = f" on {self._device}" if self._device else ""
        raise HostError(f"the process that ran {self._subject}{where} ended early; run it again")
