"""TensorFlow Lite files, in LiteRT or its predecessor tflite-runtime: both have the same `Interpreter`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobilenet_edge.device.faults import InvalidModel, RuntimeBroken, first_line
from mobilenet_edge.device.runtimes import Runtime, Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray


class LiteRTSession:
    """An interpreter with its tensors allocated; XNNPACK runs what it can, as it does by default in an application."""

    def __init__(self, runtime: Runtime, version: str, interpreter: Any) -> None:
        self.runtime = runtime.name
        self.version = version
        self._interpreter = interpreter
        self._feeds = [detail["index"] for detail in interpreter.get_input_details()]
        self._fetches = [detail["index"] for detail in interpreter.get_output_details()]
        self.inputs = tuple(_tensor(detail) for detail in interpreter.get_input_details())
        self.outputs = tuple(_tensor(detail) for detail in interpreter.get_output_details())

    def feed(self, inputs: Sequence[NDArray[Any]]) -> None:
        """Copy inputs into the interpreter."""
        for index, values in zip(self._feeds, inputs):
            self._interpreter.set_tensor(index, values)

    def invoke(self) -> None:
        """Run the model."""
        try:
            self._interpreter.invoke()
        except RuntimeError as error:
            raise InvalidModel(f"the model cannot be run: {first_line(error)}") from error

    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Feed, invoke and copy the outputs out."""
        self.feed(inputs)
        self.invoke()
        return [self._interpreter.get_tensor(index) for index in self._fetches]


def open_session(runtime: Runtime, path: Path, threads: int) -> LiteRTSession:
    """Open a `.tflite` file.

    Raises:
        InvalidModel: It is no model, needs an operator that is not built in, or has an input of no fixed size.
        RuntimeBroken: The runtime and numpy don't fit each other.
    """
    package = runtime.load()
    version = getattr(sys.modules[runtime.package.partition(".")[0]], "__version__", "unknown")
    if runtime.name == "tflite-runtime" and int(np.__version__.partition(".")[0]) >= 2:
        # Its metadata does not say so: pip brings NumPy 2, and Interpreter() fails with an empty SystemError.
        raise RuntimeBroken(
            f"tflite-runtime was built for NumPy 1 and here is {np.__version__}; run: pip install 'numpy<2'"
        )
    try:
        interpreter = package.Interpreter(model_path=str(path), num_threads=threads)
        _check_shapes(path, interpreter.get_input_details())
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise InvalidModel(_explain(runtime, path, error)) from error
    return LiteRTSession(runtime, version, interpreter)


def _check_shapes(path: Path, details: Sequence[Mapping[str, Any]]) -> None:
    # The interpreter allocates an unknown side as 1: right for the batch, a meaningless size for an image.
    for detail in details:
        if any(side < 0 for side in detail["shape_signature"][1:]):
            sides = ", ".join("?" if side < 0 else str(side) for side in detail["shape_signature"])
            raise InvalidModel(
                f"input {detail['name']!r} of {path.name} has no fixed size ({sides}); export it with one"
            )


def _explain(runtime: Runtime, path: Path, error: Exception) -> str:
    reason = first_line(error)
    if "edgetpu-custom-op" in reason:
        return f"{path.name} is compiled for the Edge TPU and runs on nothing else; use the .tflite it was made from"
    if "unresolved custom op" in reason:
        return f"{path.name} needs an operator that {runtime.title} does not have: {reason}"
    return f"{path.name} is not a model that {runtime.title} can open: {reason}"


def _tensor(detail: Mapping[str, Any]) -> Tensor:
    scale, zero_point = detail["quantization"]
    quantised = scale != 0
    return Tensor(
        name=detail["name"],
        shape=tuple(int(side) for side in detail["shape"]),
        dtype=np.dtype(detail["dtype"]).name,
        scale=float(scale) if quantised else None,
        zero_point=int(zero_point) if quantised else None,
    )
