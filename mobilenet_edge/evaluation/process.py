"""A classifier in a process of its own, seen from here."""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.errors import HostError, MissingExtraError
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.hosts import environment
from mobilenet_edge.hosts.answer import Ended, late, parse

# For opening a model or answering an image; TensorFlow alone may take a minute to start on a busy machine.
LIMIT_SECONDS: Final = 300.0
COMMAND: Final = (sys.executable, "-m", "mobilenet_edge.evaluation.serve")


class Process:
    """An open model; `send` and `receive` are two calls, so that several models run at once.

    Attributes:
        input: What `send` takes.
        shape: Of its output, batch included.
        grid: (scale, zero point) of an integer output; None where it is float or the runtime does not know.
        runtime: What runs the model.
        version: Its version.

    Raises:
        HostError: The runtime crashed, failed or took too long; `send` and `receive` raise it too.
        InputError: The file is no image classifier that the runtime can open.
        MissingExtraError: No runtime for it is installed.
    """

    def __init__(self, model: str, request: dict[str, Any], pipe: subprocess.Popen[bytes], stderr: IO[bytes]) -> None:
        self._model, self._pipe, self._stderr = model, pipe, stderr
        self._stdin, self._stdout = cast("IO[bytes]", pipe.stdin), cast("IO[bytes]", pipe.stdout)
        self._late = False
        self._write(json.dumps(request).encode() + b"\n")
        with self._limited():
            line = self._stdout.readline()
        if not line.endswith(b"\n"):
            self._ended()
        facts = parse(Ended(0, line, b""), model)
        self.runtime: str = facts["runtime"]
        self.version: str = facts["version"]
        self.shape: tuple[int, ...] = tuple(facts["shape"])
        scale, zero_point = facts.get("scale"), facts.get("zero_point")
        self.grid = (scale, zero_point or 0) if scale else None
        self.input = ImageInput(**{**facts["input"], "shape": tuple(facts["input"]["shape"])})
        self._dtype = np.dtype(facts["dtype"])

    def send(self, tensor: NDArray[Any]) -> None:
        """Start the inference of one tensor, as `input.fill` makes it."""
        self._write(tensor.tobytes())

    def receive(self) -> NDArray[Any]:
        """Wait for the outputs for what was sent, flat and of the model's own type."""
        length = math.prod(self.shape) * self._dtype.itemsize
        with self._limited():
            data = self._stdout.read(length)
        if len(data) < length:
            self._ended()
        return np.frombuffer(data, self._dtype)

    def _write(self, data: bytes) -> None:
        try:
            with self._limited():
                self._stdin.write(data)
                self._stdin.flush()
        except BrokenPipeError:
            self._ended()

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """End the process if the block takes too long: a pipe that is waited for then closes."""
        watch = threading.Timer(LIMIT_SECONDS, self._end)
        watch.start()
        try:
            yield
        finally:
            watch.cancel()

    def _end(self) -> None:
        self._late = True
        self._pipe.kill()

    def _ended(self) -> NoReturn:
        code = self._pipe.wait()
        if self._late:
            raise late(self._model, LIMIT_SECONDS)
        self._stderr.seek(0)
        if code:
            parse(Ended(code, b"", self._stderr.read()), self._model)
        raise HostError(f"the process that ran {self._model} ended early; run it again")


@contextmanager
def start(path: Path, model_format: str, threads: int) -> Iterator[Process]:
    """Open a model in a new process, which ends with the block.

    Args:
        path: The model file.
        model_format: "tflite", "onnx" or "keras".
        threads: Threads within one inference.

    Raises:
        MnetError: As `Process` says.
    """
    if model_format == "keras" and importlib.util.find_spec("h5py") is None:
        raise MissingExtraError("Keras models need h5py", "export")
    request = {"path": str(path.resolve()), "format": model_format, "threads": threads}
    with (
        # A file, since nobody reads along and a full pipe would stop the process.
        tempfile.TemporaryFile() as stderr,
        subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environment.of_package(),
            start_new_session=True,  # Ctrl-C is for mnet alone, which then ends the process below
        ) as pipe,
    ):
        try:
            yield Process(path.name, request, pipe, stderr)
        finally:
            pipe.kill()
            # Closing flushes what a process that died did not read.
            with suppress(BrokenPipeError):
                cast("IO[bytes]", pipe.stdin).close()
