"""A classifier in a process of its own, on this machine or on a device."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.device.batches import HEAD
from mobilenet_edge.device.child import Child
from mobilenet_edge.errors import MissingExtraError, UsageError
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.hosts import environment
from mobilenet_edge.hosts.pipe import Pipe
from mobilenet_edge.hosts.place import Place
from mobilenet_edge.hosts.reach import reach
from mobilenet_edge.platforms import require_posix

# For opening a model or answering a batch of images; TensorFlow alone may take a minute to start on a busy machine.
LIMIT_SECONDS: Final = 300.0
COMMAND: Final = (sys.executable, "-m", "mobilenet_edge.evaluation.serve")


class Process:
    """An open model; `send` and `receive` are two calls, so that several models run at once.

    Several images go to and fro at a time, since each turn costs about as much as a small model takes for one.

    Args:
        pipe: The streams of the process.

    Attributes:
        input: What `send` takes.
        shape: Of its output, batch included.
        grid: (scale, zero point) of an integer output; None where it is float or the runtime does not know.
        runtime: What runs the model.
        version: Its version.
        delegate: What the delegate runs, as `device.runtimes.Session.delegate`; None without one.

    Raises:
        HostError: The runtime crashed, failed or took too long; `receive` raises it too.
        InputError: The file is no image classifier that the runtime can open.
        MissingExtraError: No runtime for it is installed.
    """

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        facts = pipe.read_document()
        self.runtime: str = facts["runtime"]
        self.version: str = facts["runtime_version"]
        self.delegate: dict[str, Any] | None = facts.get("delegate")
        self.shape: tuple[int, ...] = tuple(facts["shape"])
        scale, zero_point = facts.get("scale"), facts.get("zero_point")
        self.grid = (scale, zero_point or 0) if scale else None
        self.input = ImageInput(**{**facts["input"], "shape": tuple(facts["input"]["shape"])})
        self._dtype = np.dtype(facts["dtype"])
        self._sent = 0

    def send(self, *tensors: NDArray[Any]) -> None:
        """Start the inference of tensors, each as `input.fill` makes it."""
        self._send(len(tensors), 0, tensors)

    def send_pixels(self, table: NDArray[Any], *pictures: NDArray[np.uint8]) -> None:
        """Start the inference of pictures, as `prepare.fit` makes them; `table` is that of `input.table`."""
        self._send(len(pictures), len(table), (table, *pictures))

    def _send(self, count: int, channels: int, arrays: Iterable[NDArray[Any]]) -> None:
        self._sent = count
        contiguous = map(np.ascontiguousarray, arrays)
        self._pipe.write(b"".join((HEAD.pack(count, channels), *(array.data for array in contiguous))))

    def receive(self) -> NDArray[Any]:
        """Wait for the outputs for what was sent, of the model's own type: (n, outputs)."""
        size = math.prod(self.shape)
        data = self._pipe.read(self._sent * size * self._dtype.itemsize)
        return np.frombuffer(data, self._dtype).reshape(self._sent, size)


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
        pipe = Pipe(child, path.name, LIMIT_SECONDS)
        pipe.write(json.dumps(request).encode() + b"\n")
        yield Process(pipe)


@contextmanager
def start_at(place: Place, model: Artifact, threads: int) -> Iterator[Process]:
    """Open a model in a new worker of a device, which ends with the block.

    Raises:
        MnetError: As `Process` and `Host.stream` say.
        UsageError: It is a Keras file.
    """
    if model.format == "keras":
        raise UsageError(
            f"{model.path} is a Keras model, which runs here only; leave out --host and --runtime, or export it"
        )
    request: dict[str, Any] = {"mode": "stream", "threads": threads, "runtime": place.runtime}
    delegate = place.delegate_for(model.format, model.contents.ops)
    if delegate is not None:
        request["delegate"] = delegate.request()
    with reach(place.device).stream(request, {"artifact": model.path}, limit_seconds=LIMIT_SECONDS) as pipe:
        yield Process(pipe)
