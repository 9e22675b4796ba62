"""Run .tflite files in the interpreter of TensorFlow Lite for Microcontrollers, from the wheel tflite-micro.

Its kernels are the reference kernels of the library, so its answers are those of a microcontroller that uses them; its
speed on this CPU says nothing of one.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mobilenet_edge.device.faults import InvalidModel, RequestError
from mobilenet_edge.device.runtimes import Runtime, TensorInfo
from mobilenet_edge.formats.wire.flatbuffer import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What the interpreter keeps beside the activations is far less than the file and this.
SPARE_BYTES: Final = 1 << 20
# Sizes of TFLite's element types in bytes, by their number in schema.fbs; others take no more than 8.
_SIZES: Final = {0: 4, 1: 2, 2: 4, 3: 1, 6: 1, 7: 2, 9: 1, 17: 1}


class MicroSession:
    """An interpreter with allocated tensors."""

    delegate: Mapping[str, Any] | None = None

    def __init__(self, runtime: Runtime, interpreter: Any, names: Sequence[Sequence[str]]) -> None:
        self.runtime = runtime.name
        self.version = runtime.version()
        self._interpreter = interpreter
        inputs, outputs = names
        self.inputs = tuple(_tensor(name, interpreter.get_input_details(index)) for index, name in enumerate(inputs))
        self.outputs = tuple(_tensor(name, interpreter.get_output_details(index)) for index, name in enumerate(outputs))

    def feed(self, inputs: Sequence[NDArray[Any]]) -> None:
        """Copy inputs into the interpreter."""
        for index, values in enumerate(inputs):
            self._interpreter.set_input(values, index)

    def invoke(self) -> None:
        """Run the model."""
        try:
            self._interpreter.invoke()
        except RuntimeError as error:
            raise InvalidModel(f"the model cannot be run: {error}") from error

    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the model on inputs and return copies of the outputs."""
        # The arena holds one inference: an operator may write over an input.
        self.feed(inputs)
        self.invoke()
        return [np.array(self._interpreter.get_output(index)) for index in range(len(self.outputs))]


def open_session(runtime: Runtime, path: Path, threads: int, delegate: Mapping[str, Any] | None = None) -> MicroSession:
    """Open a `.tflite` file; see `Runtime.open`.

    Raises:
        InvalidModel: The file is not a model, or needs what the interpreter does not have.
        RequestError: A delegate, or more than one thread, was asked for.
    """
    package = runtime.load()
    if delegate is not None:
        raise RequestError(f"{runtime.title} takes no delegate; leave it out, or run the file in LiteRT")
    if threads != 1:
        raise RequestError(f"{runtime.title} has one thread, not {threads}; leave out --threads")
    data, names = read(path)
    return MicroSession(runtime, allocate(package, data, ample(data), path.name), names)


def read(path: Path) -> tuple[bytes, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Read a file and the names of its inputs and outputs; the interpreter itself checks nothing.

    Raises:
        InvalidModel: It is not a model.
    """
    try:
        data = path.read_bytes()
        if data[4:8] != b"TFL3":
            raise ValueError("it does not begin as a TFLite flatbuffer does")
        graph = Table.root(data).tables(2)[0]
        tensors = graph.tables(0)
        inputs, outputs = (tuple(tensors[index].text(3) for index in graph.numbers(field, "i")) for field in (1, 2))
    except OSError as error:
        raise InvalidModel(f"{path.name} cannot be read: {error.strerror}") from error
    except IndexError as error:
        raise InvalidModel(f"{path.name} is not a whole model: a reference leads nowhere; export it again") from error
    except ValueError as error:
        raise InvalidModel(f"{path.name} is not a whole model: {error}; export it again") from error
    return data, (inputs, outputs)


def ample(data: bytes) -> int:
    """Return an arena size in bytes that is more than enough: every tensor in a place of its own."""
    tensors = (tensor for graph in Table.root(data).tables(2) for tensor in graph.tables(0))
    sizes = (math.prod(tensor.numbers(0, "i")) * _SIZES.get(tensor.number(1, "b"), 8) for tensor in tensors)
    return sum(map(abs, sizes)) + len(data) + SPARE_BYTES


def allocate(package: Any, data: bytes, arena_bytes: int, name: str) -> Any:
    """Create an interpreter with an arena of this size.

    Raises:
        InvalidModel: The arena is too small, or the model needs what the interpreter does not have.
    """
    with _messages() as lines:
        try:
            return package.runtime.Interpreter.from_bytes(data, arena_size=arena_bytes)
        except RuntimeError as error:
            failure = error
    reason = next((line for line in lines if line), str(failure))
    raise InvalidModel(f"{name} is not a model that TensorFlow Lite Micro can run: {reason.rstrip('.')}") from failure


@contextmanager
def _messages() -> Iterator[list[str]]:
    """Collect what the interpreter prints to file descriptor 2; it raises without a reason."""
    lines: list[str] = []
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield lines
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            file.seek(0)
            lines += [line.strip() for line in file.read().decode(errors="replace").splitlines()]


def _tensor(name: str, detail: Mapping[str, Any]) -> TensorInfo:
    scales, zero_points = (detail["quantization_parameters"][key] for key in ("scales", "zero_points"))
    quantised = len(scales) == 1
    return TensorInfo(
        name=name,
        shape=tuple(int(side) for side in detail["shape"]),
        dtype=np.dtype(detail["dtype"]).name,
        scale=float(scales[0]) if quantised else None,
        zero_point=int(zero_points[0]) if quantised else None,
    )
