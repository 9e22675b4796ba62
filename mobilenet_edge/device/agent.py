"""Serve one connection on the device: store uploaded files, run workers, and end when stdin ends.

Messages are lines of JSON. Each answer starts with a mark, because other programs may print to the same stream:

    {"put": name, "bytes": n, "sha256": hex} and n bytes      → {"path": path on the device}
    {"run": request, "limit_seconds": s, "environment": [name, …]}  → {"code": exit code, "stdout": …, "stderr": …}
    {"stream": true, "environment": [name, …]}                      → {"stream": true}, and nothing more

After "stream" the connection belongs to one worker, whose request comes next; the agent ends with its exit code.
`code` is null after a timeout. An expected failure is {"error": {"kind", "message"}}. The agent sends the first line
unprompted: {"hello": version, …}. When stdin ends, on purpose or because the connection broke, the agent kills the
worker; the caller removes the folder. Only the standard library is used, since numpy may be missing.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import selectors
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mobilenet_edge import __version__
from mobilenet_edge.device.child import Child
from mobilenet_edge.device.faults import DeviceError

CHUNK_BYTES = 1 << 16
STDERR_BYTES = 1 << 14
# Exit code of a program that a signal ended, less the number of the signal.
SIGNALLED = 128


class Disconnected(Exception):
    """The caller has closed the connection, which is its ordinary end."""


def serve(folder: str, worker: str, mark: str, fd: int = 0, out: int = 1) -> None:
    """Answer messages until `fd` ends.

    Args:
        folder: Folder for uploaded files, private to this connection.
        worker: Path of the worker program, run with this Python.
        mark: Prefix of each answer.
        fd: File descriptor to read messages from.
        out: File descriptor to write answers to.
    """
    stream, agent = Stream(fd), Agent(Path(folder), worker)
    try:
        _send(out, mark, _hello())
        while True:
            message = json.loads(stream.read_line())
            if "stream" in message:
                _send(out, mark, {"stream": True})
                sys.exit(agent.hand_over(message, fd, out))
            _send(out, mark, agent.answer(message, stream))
    except Disconnected:
        return


class Stream:
    """Buffered reader of lines and byte blocks from one file descriptor."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._buffer = bytearray()

    def fill(self) -> None:
        """Read the available bytes into the buffer.

        Raises:
            Disconnected: The stream has ended.
        """
        part = os.read(self.fd, CHUNK_BYTES)
        if not part:
            raise Disconnected
        self._buffer += part

    def read_line(self) -> bytearray:
        """Read one line, without its line break."""
        while b"\n" not in self._buffer:
            self.fill()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def read_exactly(self, size: int) -> bytes:
        """Read `size` bytes."""
        while len(self._buffer) < size:
            self.fill()
        data, self._buffer = bytes(self._buffer[:size]), self._buffer[size:]
        return data


class Agent:
    """Handler of the messages of one connection."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._folder = folder
        self._command = [sys.executable, worker]

    def answer(self, message: dict[str, Any], stream: Stream) -> dict[str, Any]:
        """Answer one message."""
        try:
            if "put" in message:
                return {"path": str(self._put(message, stream))}
            return self._run(message, stream)
        except DeviceError as error:
            return {"error": error.to_dict()}

    def hand_over(self, message: dict[str, Any], fd: int, out: int) -> int:
        """Run a worker on the streams of the connection.

        Returns:
            Its exit code; as in a shell, 128 and more for the signal that ended it.
        """
        code = subprocess.call(
            self._command, stdin=fd, stdout=out, cwd=str(self._folder), env=_environment(message["environment"])
        )
        return code if code >= 0 else SIGNALLED - code

    def _put(self, message: dict[str, Any], stream: Stream) -> Path:
        data = stream.read_exactly(message["bytes"])
        name = os.path.basename(message["put"])  # noqa: PTH119 - pathlib's would turn "a/.." into ".."
        if name in ("", ".", "..") or hashlib.sha256(data).hexdigest() != message["sha256"]:
            raise DeviceError(f"{name} did not arrive as it was sent; run it again")
        # Runtime messages show the file name, so it is kept; the folder tells files of the same name apart.
        path: Path = self._folder / message["sha256"] / name
        try:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            shutil.rmtree(path.parent, ignore_errors=True)
            parent = self._folder.parent
            if error.errno == errno.ENOSPC:
                raise DeviceError(
                    f"no space left in {parent} for the {len(data)} bytes of {name}; free some"
                ) from error
            raise DeviceError(
                f"cannot write {name} to {parent}: {error.strerror}; check the temporary folder"
            ) from error
        return path

    def _run(self, message: dict[str, Any], stream: Stream) -> dict[str, Any]:
        environment = _environment(message["environment"])
        with Child(self._command, cwd=str(self._folder), env=environment) as worker:
            with worker.deadline(message["limit_seconds"]):
                worker.write(json.dumps({**message["run"], "leased": True}).encode() + b"\n")
                stdout, code = _read(worker, stream), worker.wait()
            texts = (part.decode(errors="replace") for part in (stdout, worker.stderr()[-STDERR_BYTES:]))
            return {"code": None if worker.late else code, **dict(zip(("stdout", "stderr"), texts))}


def _environment(names: Iterable[str]) -> dict[str, str]:
    return {**{name: os.environ[name] for name in names if name in os.environ}, "PYTHONSAFEPATH": "1"}


def _read(worker: Child, stream: Stream) -> bytes:
    """Read the stdout of a worker to its end.

    Raises:
        Disconnected: The connection ended first.
    """
    output = bytearray()
    with selectors.DefaultSelector() as selector:
        for source in (worker.stdout, stream.fd):
            selector.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj == stream.fd:
                    stream.fill()
                elif part := os.read(key.fd, CHUNK_BYTES):
                    output += part
                else:
                    return bytes(output)


def _hello() -> dict[str, Any]:
    return {"hello": __version__, "python": list(sys.version_info[:3]), "machine": os.uname().machine}


def _send(out: int, mark: str, document: dict[str, Any]) -> None:
    # The line break comes first because another program may have left an unfinished line.
    data = f"\n{mark}{json.dumps(document)}\n".encode()
    try:
        while data:
            data = data[os.write(out, data) :]
    except BrokenPipeError as error:
        raise Disconnected from error
