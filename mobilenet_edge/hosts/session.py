"""Talk to `mobilenet_edge.device.agent` over stdin and stdout of a command such as ssh."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from mobilenet_edge import files
from mobilenet_edge.device.child import Child
from mobilenet_edge.errors import HostError, MnetError
from mobilenet_edge.hosts import bootstrap, environment, payload
from mobilenet_edge.hosts.answer import Ended, fault, late, name_subject, parse
from mobilenet_edge.hosts.pipe import Pipe

# Exit code of ssh if the connection failed, and not the command that it ran.
SSH_FAILED: Final = 255
CONNECT_SECONDS: Final = 60.0
# Added to the limit of a worker, which the agent enforces.
GRACE_SECONDS: Final = 30.0
MIN_BYTES_PER_SECOND: Final = 20_000
CLOSE_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Broken:
    """A connection that ended unexpectedly.

    Attributes:
        code: Exit code of the command.
        stderr: Complete output of the command to stderr.
        subject: Subject of the current request, None while connecting.
        refusal: The message in which `bootstrap` refused to start, None if there was none.
    """

    code: int
    stderr: bytes
    subject: str | None = None
    refusal: Mapping[str, Any] | None = None


class Connection:
    """An open connection to the agent.

    Args:
        command: Command that connects, such as ssh with its arguments.
        name: Name of the device, for messages.
        explain: Returns the exception for a broken connection.

    Attributes:
        ended: Whether the connection is closed or broken.

    Raises:
        MnetError: The connection broke; every method may raise it.
    """

    def __init__(self, command: Sequence[str], name: str, explain: Callable[[Broken], MnetError]) -> None:
        self.ended = False
        self._name, self._explain = name, explain
        self._subject: str | None = None
        self._uploaded: dict[tuple[str, str], str] = {}
        self._child = Child(command)
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def run(self, request: Mapping[str, Any], artifacts: Mapping[str, Path], limit_seconds: float) -> dict[str, Any]:
        """Run one request, as `Host.run`."""
        self._subject = name_subject(request, artifacts)
        paths = {field: self._put(file) for field, file in artifacts.items()}
        message = {
            "run": {**request, **paths},
            "limit_seconds": limit_seconds,
            "environment": environment.names(request.get("mode")),
        }
        with self._child.deadline(limit_seconds + GRACE_SECONDS):
            reply = self._request(message)
        code, stdout, stderr = (reply.get(name) for name in ("code", "stdout", "stderr"))
        if code is None:
            raise late(self._subject, limit_seconds, self._name)
        ended = Ended(int(code), str(stdout).encode(), str(stderr).encode())
        return parse(ended, self._subject, self._name)

    def stream(self, request: Mapping[str, Any], artifacts: Mapping[str, Path], limit_seconds: float) -> Pipe:
        """Leave the connection to one worker, as `Host.stream`."""
        self._subject = name_subject(request, artifacts)
        paths = {field: self._put(file) for field, file in artifacts.items()}
        with self._child.deadline(GRACE_SECONDS):
            self._request({"stream": True, "environment": environment.names()})
        pipe = Pipe(self._child, self._subject, limit_seconds, self._name, self._explain_end)
        pipe.write(json.dumps({**request, **paths}).encode() + b"\n")
        return pipe

    def close(self) -> None:
        """Close the connection; the agent then removes its files and ends."""
        self.ended = True
        with suppress(BrokenPipeError):
            self._child.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(CLOSE_SECONDS)
        self._child.close()

    def _greet(self) -> None:
        with self._child.deadline(CONNECT_SECONDS):
            self._child.write(payload.pack())
            hello = self._receive()
        if "hello" not in hello:
            self._fail(hello)

    def _put(self, file: Path) -> str:
        data = files.read_bytes(file)
        key = (hashlib.sha256(data).hexdigest(), file.name)
        if key not in self._uploaded:
            with self._child.deadline(GRACE_SECONDS + len(data) / MIN_BYTES_PER_SECOND):
                reply = self._request({"put": file.name, "bytes": len(data), "sha256": key[0]}, data)
            self._uploaded[key] = str(reply.get("path"))
        return self._uploaded[key]

    def _request(self, message: Mapping[str, Any], data: bytes = b"") -> dict[str, Any]:
        self._child.write(json.dumps(message).encode() + b"\n" + data)
        reply = self._receive()
        if "error" in reply:
            raise fault(reply["error"], self._name)
        return reply

    def _receive(self) -> dict[str, Any]:
        mark = bootstrap.MARK.encode()
        line = next((line for line in self._child.stdout if line.startswith(mark)), None)
        if line is None:
            self._fail()
        try:
            return dict(json.loads(line.removeprefix(mark)))
        except (ValueError, TypeError) as error:
            self.ended = True
            raise HostError(f"{self._name} sent an unreadable message; run it again") from error

    def _explain_end(self, code: int, stderr: bytes) -> MnetError | None:
        """Explain the end of a stream by the connection; None where the worker ended and the connection did not."""
        return self._explain(Broken(code, stderr, self._subject)) if code == SSH_FAILED else None

    def _fail(self, refusal: Mapping[str, Any] | None = None) -> NoReturn:
        self.ended = True
        if self._child.late:
            step = f"while it worked on {self._subject}" if self._subject else "while connecting"
            raise HostError(f"{self._name} stopped answering {step}; check that it is on, then run it again")
        try:
            code = self._child.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            code = -1  # stdout is closed, but the command still runs
        raise self._explain(Broken(code, self._child.stderr(), self._subject, refusal))
