"""Answer batches of pictures until stdin ends (the mode "stream").

After the facts of the model, one line of JSON, each batch read is answered by the bytes of all its outputs. A batch is
`HEAD`, then tensors in the shape and type of the input; or a table and pictures, whose pixels are looked up in it here,
since they are a quarter of the bytes of a float32 tensor.
"""

from __future__ import annotations

import json
import math
import os
import queue
import struct
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol, TextIO

import numpy as np

from mobilenet_edge import __version__
from mobilenet_edge.device import runtimes
from mobilenet_edge.device.faults import DeviceError, InvalidModel
from mobilenet_edge.device.runtimes import TensorInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mobilenet_edge.device.worker import Request

# Number of tensors or pictures of a batch, and the channels of the pictures, 0 for tensors.
HEAD: Final = struct.Struct("<IB")
LEVELS: Final = 256


class ModelSession(Protocol):
    """The part of `runtimes.Session` that is needed here."""

    @property
    def runtime(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def inputs(self) -> tuple[TensorInfo, ...]: ...
    @property
    def outputs(self) -> tuple[TensorInfo, ...]: ...
    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]: ...


def run(request: Request, out: TextIO) -> int:
    """Open a model, write its facts, and answer batches from stdin; the process ends when stdin does.

    Returns:
        The exit code after a run that failed.

    Raises:
        DeviceError: The model, its runtime or its delegate cannot be used.
    """
    path = Path(request.artifact)
    session = runtimes.open_model(path, threads=request.threads, runtime=request.runtime, delegate=request.delegate)
    facts = {"version": __version__, **describe(session, path.name), "delegate": session.delegate}
    out.write(json.dumps(facts) + "\n")
    out.flush()
    try:
        serve(session, _ahead(read(session.inputs[0], sys.stdin.buffer)), out.buffer)
    except DeviceError as error:
        sys.stderr.write(f"{error}\n")
    return 1


def describe(session: ModelSession, model: str) -> dict[str, Any]:
    """Run a model once on zeros and describe it.

    Args:
        session: The open model.
        model: Its name, for messages.

    Returns:
        runtime, runtime_version; input (model, shape, dtype, scale and zero_point of the tensor); dtype, shape, scale
        and zero_point of the output for one image, batch included. The grids are None where the runtime has none.

    Raises:
        InvalidModel: The model has several inputs or outputs, or its output is not of one image.
    """
    if len(session.inputs) != 1 or len(session.outputs) != 1:
        raise InvalidModel(
            f"{model} has {len(session.inputs)} inputs and {len(session.outputs)} outputs; "
            "only one image in and one list of scores out can be evaluated"
        )
    (tensor,), (output,) = session.inputs, session.outputs
    (scores,) = session.run([np.zeros(tensor.shape, tensor.dtype)])
    if not scores.size or (scores.ndim > 1 and scores.shape[0] != 1 and scores.size != max(scores.shape)):
        raise InvalidModel(f"{model} returns {scores.shape} for one image; export it with batch 1")
    return {
        "runtime": session.runtime,
        "runtime_version": session.version,
        "input": {"model": model, "shape": tensor.shape, "dtype": tensor.dtype, **_grid(tensor)},
        "dtype": scores.dtype.name,
        "shape": scores.shape,
        **_grid(output),
    }


def serve(session: ModelSession, batches: Iterable[Iterable[NDArray[Any]]], answers: BinaryIO) -> None:
    """Answer each batch of tensors, each of the shape of the input, by the bytes of its outputs."""
    for batch in batches:
        answers.write(b"".join(session.run([tensor])[0].tobytes() for tensor in batch))
        answers.flush()


def read(tensor: TensorInfo, stream: BinaryIO) -> Iterator[Iterable[NDArray[Any]]]:
    """Read batches of tensors until the stream ends; pictures become tensors one by one.

    All of a batch is read before any of it is answered: two ends that both write into full pipes would wait for ever.
    """
    values, width = math.prod(tensor.shape), np.dtype(tensor.dtype).itemsize
    while len(head := stream.read(HEAD.size)) == HEAD.size:
        count, channels = HEAD.unpack(head)
        table = stream.read(channels * LEVELS * width)
        size = count * values * (1 if channels else width)
        data = stream.read(size)
        if len(data) < size:
            return
        if channels:
            rows = np.frombuffer(table, tensor.dtype).reshape(channels, LEVELS)
            # A batch may be empty, of which numpy cannot tell the number of pixels.
            pictures = np.frombuffer(data, np.uint8).reshape(count, values // channels, channels)
            yield _look_up(pictures, rows, tensor.shape)
        else:
            yield np.frombuffer(data, tensor.dtype).reshape(count, *tensor.shape)


def _look_up(pictures: NDArray[np.uint8], table: NDArray[Any], shape: tuple[int, ...]) -> Iterator[NDArray[Any]]:
    """Make the tensor of each of (count, pixels, channels), by the value of each level (channels, 256)."""
    channels_first = shape[-1] != len(table)
    # The usual table is the same for all channels, and the pixels themselves are its indexes.
    alike = (table == table[0]).all()
    starts = np.arange(0, table.size, LEVELS, dtype=np.uint16)
    for pixels in pictures:
        places = pixels if alike else pixels + starts
        ordered = places.T if channels_first else places
        if alike and table.itemsize == 1:
            # As bytes, which is several times as fast.
            yield np.frombuffer(ordered.tobytes().translate(table[0].tobytes()), table.dtype).reshape(shape)
        else:
            yield table.take(ordered).reshape(shape)


def _ahead(batches: Iterable[Iterable[NDArray[Any]]]) -> Iterator[Iterable[NDArray[Any]]]:
    """Read one batch ahead, and end the process at once when there are no more, even if the model hangs."""
    waiting: queue.Queue[Iterable[NDArray[Any]]] = queue.Queue(maxsize=1)

    def fill() -> None:
        for batch in batches:
            waiting.put(batch)
        os._exit(0)

    threading.Thread(target=fill, daemon=True).start()
    while True:
        yield waiting.get()


def _grid(tensor: TensorInfo) -> dict[str, Any]:
    return {"scale": tensor.scale, "zero_point": tensor.zero_point}
