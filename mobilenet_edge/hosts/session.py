"""A conversation with `mobilenet_edge.device.keeper` over the two streams of a command, ssh or another."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, NoReturn, cast

from mobilenet_edge import files
from mobilenet_edge.errors import HostError, MnetError
from mobilenet_edge.hosts import boot, environment, parcel
from mobilenet_edge.hosts.answer import Ended, fault, late, parse, subject

CONNECT_SECONDS: Final = 60.0
# Beyond a worker's own limit, which the keeper sees to.
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
        refused: The reason of `boot` for not beginning, None where it gave none.
    """

    code: int
    stderr: bytes
    about: str | None = None
    refused: Mapping[str, Any] | None = None


class Session:
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
        self._late = False
        self._put_there: dict[tuple[str, str], str] = {}
        # A file, since nobody reads along and a full pipe would stop the other end.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        try:
            self._pipe = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                start_new_session=True,  # Ctrl-C is for mnet alone, which then closes the conversation
            )
        except BaseException:
            self._stderr.close()
            raise
        self._stdin, self._stdout = cast("IO[bytes]", self._pipe.stdin), cast("IO[bytes]", self._pipe.stdout)
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
        with self._within(limit_seconds + GRACE_SECONDS):
            said = self._ask(message)
        code, stdout, stderr = (said.get(name) for name in ("code", "stdout", "stderr"))
        if code is None:
            raise late(self._about, limit_seconds, self._name)
        ended = Ended(int(code), str(stdout).encode(), str(stderr).encode())
        return parse(ended, self._about, self._name)

    def close(self) -> None:
        """End it; the keeper removes what it holds as soon as its stdin closes."""
        self.ended = True
        with suppress(BrokenPipeError):
            self._stdin.close()
        try:
            self._pipe.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._pipe.kill()
            self._pipe.wait()
        self._stdout.close()
        self._stderr.close()

    def _greet(self) -> None:
        with self._within(CONNECT_SECONDS):
            self._write(parcel.pack())
            hello = self._hear()
        if "hello" not in hello:
            self._break(hello)

    def _put(self, file: Path) -> str:
        data = files.read_bytes(file)
        key = (hashlib.sha256(data).hexdigest(), file.name)
        if key not in self._put_there:
            with self._within(GRACE_SECONDS + len(data) / SLOWEST_BYTES_PER_SECOND):
                said = self._ask({"put": file.name, "bytes": len(data), "sha256": key[0]}, data)
            self._put_there[key] = str(said.get("path"))
        return self._put_there[key]

    def _ask(self, message: Mapping[str, Any], data: bytes = b"") -> dict[str, Any]:
        self._write(json.dumps(message).encode() + b"\n" + data)
        said = self._hear()
        if "error" in said:
            raise fault(said["error"], self._name)
        return said

    def _write(self, data: bytes) -> None:
        # Where the other end is gone, its last words say more.
        with suppress(BrokenPipeError):
            self._stdin.write(data)
            self._stdin.flush()

    def _hear(self) -> dict[str, Any]:
        mark = boot.MARK.encode()
        line = next((each for each in self._stdout if each.startswith(mark)), None)
        if line is None:
            self._break()
        try:
            return dict(json.loads(line.removeprefix(mark)))
        except (ValueError, TypeError) as error:
            self.ended = True
            raise HostError(f"{self._name} sent a broken line; run it again") from error

    def _break(self, refused: Mapping[str, Any] | None = None) -> NoReturn:
        self.ended = True
        if self._late:
            doing = f"while it worked on {self._about}" if self._about else "when it was called"
            raise HostError(f"{self._name} fell silent {doing}; check that it is up, then run it again")
        try:
            code = self._pipe.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            code = -1  # stdout closed, and the command goes on
        self._stderr.seek(0)
        raise self._explain(Broken(code, self._stderr.read(), self._about, refused))

    @contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        """End the command when a step takes too long: reading and writing then fail, wherever they wait."""

        def end() -> None:
            self._late = True
            self._pipe.kill()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
