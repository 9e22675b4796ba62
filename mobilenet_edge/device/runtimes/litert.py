"""Run .tflite files in LiteRT or its predecessor tflite-runtime, which have the same `Interpreter`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mobilenet_edge.device import delegate as delegates
from mobilenet_edge.device.delegate import EDGETPU_OP, DelegateLibrary
from mobilenet_edge.device.faults import (
    DelegateFailed,
    DeviceError,
    InvalidModel,
    RequestError,
    RuntimeBroken,
    first_line,
)
from mobilenet_edge.device.runtimes import Runtime, TensorInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray


# The operator that Vela puts in the place of those that the NPU runs.
ETHOSU_OP: Final = "ethos-u"
# Part of the runtimes' message when Prepare of a delegate fails.
NOT_APPLIED: Final = "delegate application failure"


class LiteRTSession:
    """An interpreter with allocated tensors; XNNPACK is on, as it is by default in an application."""

    def __init__(self, runtime: Runtime, version: str, interpreter: Any, delegate: dict[str, Any] | None) -> None:
        self.runtime = runtime.name
        self.version = version
        self.delegate = delegate
        self._interpreter = interpreter
        self._input_indexes = [detail["index"] for detail in interpreter.get_input_details()]
        self._output_indexes = [detail["index"] for detail in interpreter.get_output_details()]
        self.inputs = tuple(_tensor(detail) for detail in interpreter.get_input_details())
        self.outputs = tuple(_tensor(detail) for detail in interpreter.get_output_details())

    def feed(self, inputs: Sequence[NDArray[Any]]) -> None:
        """Copy inputs into the interpreter."""
        for index, values in zip(self._input_indexes, inputs):
            self._interpreter.set_tensor(index, values)

    def invoke(self) -> None:
        """Run the model."""
        try:
            self._interpreter.invoke()
        except RuntimeError as error:
            raise InvalidModel(f"the model cannot be run: {first_line(error)}") from error

    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the model on inputs and return copies of the outputs."""
        self.feed(inputs)
        self.invoke()
        return [self._interpreter.get_tensor(index) for index in self._output_indexes]


def open_session(
    runtime: Runtime, path: Path, threads: int, delegate: Mapping[str, Any] | None = None
) -> LiteRTSession:
    """Open a `.tflite` file; see `Runtime.open`.

    Raises:
        InvalidModel: The file is not a model, needs an operator that is not built in, or has an input without a fixed
            size.
        RuntimeBroken: The runtime does not work with the installed numpy.
        RequestError: The delegate cannot be loaded, or is an execution provider.
        DelegateFailed: The delegate does not start, or cannot run the model.
    """
    if delegate is not None and "provider" in delegate:
        raise RequestError(
            f"execution providers run operators of .onnx files only, not of {path.name}; leave out --provider"
        )
    package = runtime.load()
    version = runtime.version()
    if runtime.name == "tflite-runtime" and int(np.__version__.partition(".")[0]) >= 2:
        # Its metadata allows NumPy 2, with which Interpreter() fails with an empty SystemError.
        raise RuntimeBroken(
            f"tflite-runtime needs NumPy 1, and NumPy {np.__version__} is installed; run: pip install 'numpy<2'"
        )
    library = None if delegate is None else delegates.probe(delegate)
    loaded = [] if library is None else [delegates.load(package, library)]
    try:
        interpreter = package.Interpreter(model_path=str(path), num_threads=threads, experimental_delegates=loaded)
        _check_shapes(path, interpreter.get_input_details())
        # Before the allocation, which applies XNNPACK, every delegate node belongs to the requested delegate.
        delegated = None if library is None else delegates.describe(library, interpreter._get_ops_details())
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise _explain(runtime, path, library, error) from error
    return LiteRTSession(runtime, version, interpreter, delegated)


def _check_shapes(path: Path, details: Sequence[Mapping[str, Any]]) -> None:
    # The interpreter allocates an open size as 1, which is right only for the batch.
    for detail in details:
        if any(side < 0 for side in detail["shape_signature"][1:]):
            sides = ", ".join("?" if side < 0 else str(side) for side in detail["shape_signature"])
            raise InvalidModel(
                f"input {detail['name']!r} of {path.name} has no fixed size ({sides}); export it with one"
            )


def _explain(runtime: Runtime, path: Path, delegate: DelegateLibrary | None, error: Exception) -> DeviceError:
    reason = first_line(error)
    if EDGETPU_OP in reason:
        return InvalidModel(_explain_edgetpu(path, delegate))
    if f"custom op: {ETHOSU_OP}" in reason:
        return InvalidModel(
            f"{path.name} is compiled for an Ethos-U, which no runtime here has; use the .tflite it was compiled from, "
            "or flash it"
        )
    if "unresolved custom op" in reason:
        return InvalidModel(f"{path.name} needs an operator that {runtime.title} does not have: {reason}")
    if delegate is not None and NOT_APPLIED in str(error):
        return DelegateFailed(
            f"the delegate {delegate.path.name} failed on {path.name}; check that the file was compiled for it, "
            "and see its log"
        )
    return InvalidModel(f"{path.name} is not a model that {runtime.title} can open: {reason}")


def _explain_edgetpu(path: Path, delegate: DelegateLibrary | None) -> str:
    compiled = f"{path.name} is compiled for the Edge TPU"
    if delegate is not None:
        compiled += f", and the delegate {delegate.path.name} does not run its operator"
    return f"{compiled}: give --delegate {delegates.suggest_path()}, or use the .tflite it was compiled from"


def _tensor(detail: Mapping[str, Any]) -> TensorInfo:
    scale, zero_point = detail["quantization"]
    quantised = scale != 0
    return TensorInfo(
        name=detail["name"],
        shape=tuple(int(side) for side in detail["shape"]),
        dtype=np.dtype(detail["dtype"]).name,
        scale=float(scale) if quantised else None,
        zero_point=int(zero_point) if quantised else None,
    )
