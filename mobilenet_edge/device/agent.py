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
import sys
from pathlib import Path
from typing import Any

from mobilenet_edge import __version__
from mobilenet_edge.device.child import Child
from mobilenet_edge.device.faults import DeviceError

CHUNK = 1 << 16
STDERR_BYTES = 1 << 14


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
    stream, agent = Stream(fd), Agent(Path(folder), worker)
    try:
        _say(out, mark, _hello())
        while True:
            message = json.loads(stream.line())
            _say(out, mark, agent.answer(message, stream))
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


class Agent:
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
        command = [sys.executable, self._worker]
        with Child(command, cwd=str(self._folder), env={**environment, "PYTHONSAFEPATH": "1"}) as worker:
            with worker.deadline(message["limit_seconds"]):
                worker.write(json.dumps({**message["run"], "leased": True}).encode() + b"\n")
                stdout, code = _read(worker, stream), worker.wait()
            texts = (part.decode(errors="replace") for part in (stdout, worker.stderr()[-STDERR_BYTES:]))
            return {"code": None if worker.late else code, **dict(zip(("stdout", "stderr"), texts))}


def _read(worker: Child, stream: Stream) -> bytes:
    """Read the stdout of a worker to its end.

    Raises:
        Gone: The connection has ended before.
    """
    output = bytearray()
    with selectors.DefaultSelector() as selector:
        for source in (worker.stdout, stream.fd):
            selector.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj == stream.fd:
                    stream.more()
                elif part := os.read(key.fd, CHUNK):
                    output += part
                else:
                    return bytes(output)


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
