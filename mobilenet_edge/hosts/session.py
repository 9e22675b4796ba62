"""A conversation with `mobilenet_edge.device.agent` over the two streams of a command, ssh or another."""

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
from mobilenet_edge.hosts.answer import Ended, fault, late, parse, subject

CONNECT_SECONDS: Final = 60.0
# Beyond a worker's own limit, which the agent sees to.
GRACE_SECONDS: Final = 30.0
SLOWEST_BYTES_PER_SECOND: Final = 20_000
CLOSE_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Broken:
    """A conversation that ended by itself.

    Attributes:
        code: Exit code of the command.
        stderr: What it wrote there, whole.
        about: What was being done, None while connecting.
        refused: The reason of `bootstrap` for not beginning, None where it gave none.
    """

    code: int
    stderr: bytes
    about: str | None = None
    refused: Mapping[str, Any] | None = None


class Connection:
    """An open conversation.

    Attributes:
        ended: It broke, and cannot be used any more.

    Raises:
        MnetError: What `explain` makes of a conversation that broke; all methods raise it.
    """

    def __init__(self, command: Sequence[str], name: str, explain: Callable[[Broken], MnetError]) -> None:
        self.ended = False
        self._name, self._explain = name, explain
        self._about: str | None = None
        self._put_there: dict[tuple[str, str], str] = {}
        self._child = Child(command)
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def run(self, request: Mapping[str, Any], held: Mapping[str, Path], limit_seconds: float) -> dict[str, Any]:
        """Answer one request, as `Host.run`."""
        self._about = subject(request, held)
        paths = {field: self._put(file) for field, file in held.items()}
        message = {
            "run": {**request, **paths},
            "limit_seconds": limit_seconds,
            "environment": environment.names(request.get("mode")),
        }
        with self._child.deadline(limit_seconds + GRACE_SECONDS):
            said = self._ask(message)
        code, stdout, stderr = (said.get(name) for name in ("code", "stdout", "stderr"))
        if code is None:
            raise late(self._about, limit_seconds, self._name)
        ended = Ended(int(code), str(stdout).encode(), str(stderr).encode())
        return parse(ended, self._about, self._name)

    def close(self) -> None:
        """End it; the agent removes what it holds as soon as its stdin closes."""
        self.ended = True
        with suppress(BrokenPipeError):
            self._child.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(CLOSE_SECONDS)
        self._child.close()

    def _greet(self) -> None:
        with self._child.deadline(CONNECT_SECONDS):
            self._child.write(payload.pack())
            hello = self._hear()
        if "hello" not in hello:
            self._break(hello)

    def _put(self, file: Path) -> str:
        data = files.read_bytes(file)
        key = (hashlib.sha256(data).hexdigest(), file.name)
        if key not in self._put_there:
            with self._child.deadline(GRACE_SECONDS + len(data) / SLOWEST_BYTES_PER_SECOND):
                said = self._ask({"put": file.name, "bytes": len(data), "sha256": key[0]}, data)
            self._put_there[key] = str(said.get("path"))
        return self._put_there[key]

    def _ask(self, message: Mapping[str, Any], data: bytes = b"") -> dict[str, Any]:
        self._child.write(json.dumps(message).encode() + b"\n" + data)
        said = self._hear()
        if "error" in said:
            raise fault(said["error"], self._name)
        return said

    def _hear(self) -> dict[str, Any]:
        mark = bootstrap.MARK.encode()
        line = next((each for each in self._child.stdout if each.startswith(mark)), None)
        if line is None:
            self._break()
        try:
            return dict(json.loads(line.removeprefix(mark)))
        except (ValueError, TypeError) as error:
            self.ended = True
            raise HostError(f"{self._name} sent a broken line; run it again") from error

    def _break(self, refused: Mapping[str, Any] | None = None) -> NoReturn:
        self.ended = True
        if self._child.late:
            doing = f"while it worked on {self._about}" if self._about else "when it was called"
            raise HostError(f"{self._name} fell silent {doing}; check that it is up, then run it again")
        try:
            code = self._child.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            code = -1  # stdout closed, and the command goes on
        raise self._explain(Broken(code, self._child.stderr(), self._about, refused))
