"""The other end of a connection: keeps the files that were sent, starts workers, ends with its stdin.

It speaks lines of JSON, each of its own preceded by a mark, since other programs may print to the same stream:

    {"put": name, "bytes": n, "sha256": hex} and n bytes      → {"path": where it is}
    {"run": request, "limit_seconds": s, "environment": [name, …]}  → {"code": exit code, "stdout": …, "stderr": …}

`code` is null where the limit passed. An expected failure is {"error": {"kind", "message"}}. The first line, unasked,
is {"hello": version, …}. When stdin ends, by intention or because the connection broke, the worker is killed; the
caller removes the folder. Standard library alone, since numpy may be missing.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from mobilenet_edge import __version__
from mobilenet_edge.device.faults import DeviceError

CHUNK = 1 << 16
STDERR_KEPT = 1 << 14


class Gone(Exception):
    """Nobody is at the other end any more: the ordinary end of a connection."""


def serve(folder: str, worker: str, mark: str, fd: int = 0, out: int = 1) -> None:
    """Answer until `fd` ends.

    Args:
        folder: Private to this connection; files are put here.
        worker: The program that a request is given to, run by this very Python.
        mark: Before each line of ours.
        fd: Where requests come from.
        out: Where answers go.
    """
    stream, keeper = Stream(fd), Keeper(Path(folder), worker)
    try:
        _say(out, mark, _hello())
        while True:
            message = json.loads(stream.line())
            _say(out, mark, keeper.answer(message, stream))
    except Gone:
        return


class Stream:
    """Reads lines and bytes from one file descriptor, and knows what is left between them."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._held = bytearray()

    def more(self) -> None:
        """Read what is there.

        Raises:
            Gone: The stream has ended.
        """
        part = os.read(self.fd, CHUNK)
        if not part:
            raise Gone
        self._held += part

    def line(self) -> bytearray:
        """Read up to a line's end."""
        while b"\n" not in self._held:
            self.more()
        line, _, self._held = self._held.partition(b"\n")
        return line

    def exactly(self, size: int) -> bytes:
        """Read so many bytes."""
        while len(self._held) < size:
            self.more()
        data, self._held = bytes(self._held[:size]), self._held[size:]
        return data


class Keeper:
    """What is asked of a connection."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._folder = folder
        self._worker = worker

    def answer(self, message: dict[str, Any], stream: Stream) -> dict[str, Any]:
        """Answer one message."""
        try:
            if "put" in message:
                return {"path": str(self._put(message, stream))}
            return self._run(message, stream)
        except DeviceError as error:
            return {"error": error.to_dict()}

    def _put(self, message: dict[str, Any], stream: Stream) -> Path:
        data = stream.exactly(message["bytes"])
        name = os.path.basename(message["put"])  # noqa: PTH119 - pathlib's would turn "a/.." into ".."
        if name in ("", ".", "..") or hashlib.sha256(data).hexdigest() != message["sha256"]:
            raise DeviceError(f"{name} did not arrive as it was sent; run it again")
        # Messages of a runtime name the file, so it keeps its name; others of that name have folders of their own.
        path: Path = self._folder / message["sha256"] / name
        try:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            shutil.rmtree(path.parent, ignore_errors=True)
            place = self._folder.parent
            if error.errno == errno.ENOSPC:
                raise DeviceError(f"no space left in {place} for the {len(data)} bytes of {name}; free some") from error
            raise DeviceError(
                f"cannot write {name} to {place}: {error.strerror}; check the temporary folder"
            ) from error
        return path

    def _run(self, message: dict[str, Any], stream: Stream) -> dict[str, Any]:
        environment = {name: os.environ[name] for name in message["environment"] if name in os.environ}
        with subprocess.Popen(
            [sys.executable, self._worker],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=str(self._folder),
            env={**environment, "PYTHONSAFEPATH": "1"},
            start_new_session=True,
        ) as worker:
            stdin = cast("IO[bytes]", worker.stdin)
            try:
                with suppress(BrokenPipeError):  # where it died at once, its exit code says more
                    stdin.write(json.dumps({**message["run"], "leased": True}).encode() + b"\n")
                return _follow(worker, stream, time.monotonic() + message["limit_seconds"])
            finally:
                _kill(worker)


def _follow(worker: subprocess.Popen[bytes], stream: Stream, deadline: float) -> dict[str, Any]:
    """Collect what a worker says until it ends, the deadline passes, or nobody listens any more."""
    said = {worker.stdout: bytearray(), worker.stderr: bytearray()}
    code = None
    with selectors.DefaultSelector() as selector:
        for each in (*said, stream.fd):
            selector.register(cast("Any", each), selectors.EVENT_READ)
        while len(selector.get_map()) > 1 and time.monotonic() < deadline:
            for key, _ in selector.select(deadline - time.monotonic()):
                if key.fileobj == stream.fd:
                    stream.more()
                elif part := os.read(key.fd, CHUNK):
                    said[cast("Any", key.fileobj)] += part
                else:
                    selector.unregister(key.fileobj)
    with suppress(subprocess.TimeoutExpired):
        code = worker.wait(max(deadline - time.monotonic(), 0))
    out, err = (each.decode(errors="replace") for each in said.values())
    return {"code": code, "stdout": out, "stderr": err[-STDERR_KEPT:]}


def _kill(worker: subprocess.Popen[bytes]) -> None:
    # What it started goes with it: pip, for instance. It leads a group of its own, which may be gone already.
    with suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)


def _hello() -> dict[str, Any]:
    return {"hello": __version__, "python": list(sys.version_info[:3]), "machine": os.uname().machine}


def _say(out: int, mark: str, document: dict[str, Any]) -> None:
    # A line may have been begun by somebody else.
    left = f"\n{mark}{json.dumps(document)}\n".encode()
    try:
        while left:
            left = left[os.write(out, left) :]
    except BrokenPipeError as error:
        raise Gone from error
