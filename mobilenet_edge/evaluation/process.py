"""A classifier in a process of its own, seen from here."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.device.child import Child
from mobilenet_edge.errors import HostError, MissingExtraError
from mobilenet_edge.evaluation.serve import COUNT
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.hosts import environment
from mobilenet_edge.hosts.answer import Ended, late, parse
from mobilenet_edge.platforms import require_posix

# For opening a model or answering an image; TensorFlow alone may take a minute to start on a busy machine.
LIMIT_SECONDS: Final = 300.0
COMMAND: Final = (sys.executable, "-m", "mobilenet_edge.evaluation.serve")


class Process:
    """An open model; `send` and `receive` are two calls, so that several models run at once.

    Several images go to and fro at a time, since each turn costs about as much as a small model takes for one.

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

    def __init__(self, model: str, request: dict[str, Any], child: Child) -> None:
        self._model, self._child = model, child
        with child.deadline(LIMIT_SECONDS):
            child.write(json.dumps(request).encode() + b"\n")
            line = child.stdout.readline()
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
        self._sent = 0

    def send(self, *tensors: NDArray[Any]) -> None:
        """Start the inference of tensors, each as `input.fill` makes it."""
        self._sent = len(tensors)
        with self._child.deadline(LIMIT_SECONDS):
            self._child.write(b"".join((COUNT.pack(self._sent), *(tensor.data for tensor in tensors))))

    def receive(self) -> NDArray[Any]:
        """Wait for the outputs for what was sent, of the model's own type: (n, outputs)."""
        length = self._sent * math.prod(self.shape) * self._dtype.itemsize
        with self._child.deadline(LIMIT_SECONDS):
            data = self._child.stdout.read(length)
        if len(data) < length:
            self._ended()
        return np.frombuffer(data, self._dtype).reshape(self._sent, math.prod(self.shape))

    def _ended(self) -> NoReturn:
        code = self._child.wait()
        if self._child.late:
            raise late(self._model, LIMIT_SECONDS)
        if code:
            parse(Ended(code, b"", self._child.stderr()), self._model)
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
    if model_format == "keras" and importlib.util.find_spec("tensorflow") is None:
        raise MissingExtraError("Keras models need TensorFlow", "build")
    require_posix()
    request = {"path": str(path.resolve()), "format": model_format, "threads": threads}
    with Child(COMMAND, env=environment.of_package()) as child:
        yield Process(path.name, request, child)
