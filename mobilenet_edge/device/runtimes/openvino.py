"""Run .onnx files in OpenVINO on the CPU."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mobilenet_edge.device.faults import InvalidModel, RequestError
from mobilenet_edge.device.runtimes import NodeRun, Runtime, TensorInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEVICE: Final = "CPU"
# Everything else is OpenVINO's default. A float32 file is computed in float32: by default, processors with instructions
# for bfloat16 or float16 compute in those, and the answers are those of another file.
SETTINGS: Final[Mapping[str, Any]] = {
    "NUM_STREAMS": 1,
    "INFERENCE_PRECISION_HINT": "f32",
    "PERFORMANCE_HINT": "LATENCY",
}
# Of the lines of an exception, those that say where in OpenVINO's source it was raised.
PLACES: Final = ("Exception from ", "Check '")


class OpenVinoSession:
    """A compiled model with one request."""

    delegate: dict[str, Any] | None = None

    def __init__(self, runtime: Runtime, package: Any, compiled: Any) -> None:
        self.runtime = runtime.name
        self.version = runtime.version()
        self.inputs = tuple(_tensor(port, index) for index, port in enumerate(compiled.inputs))
        self.outputs = tuple(_tensor(port, index) for index, port in enumerate(compiled.outputs))
        self._package = package
        self._request = compiled.create_infer_request()
        self._fed: list[NDArray[Any]] = []

    def feed(self, inputs: Sequence[NDArray[Any]]) -> None:
        """Set the inputs of the next run; OpenVINO reads them in place, or a copy of what cannot be written."""
        self._fed = [np.require(values, requirements=["C", "W"]) for values in inputs]
        for index, values in enumerate(self._fed):
            self._request.set_input_tensor(index, self._package.Tensor(values, shared_memory=True))

    def invoke(self) -> None:
        """Run the model."""
        try:
            self._request.infer()
        except RuntimeError as error:
            raise InvalidModel(f"the model cannot be run: {_reason(error)}") from error

    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the model on inputs and return copies of the outputs."""
        self.feed(inputs)
        self.invoke()
        return [self._request.get_output_tensor(index).data.copy() for index in range(len(self.outputs))]


class TracedOpenVinoSession(OpenVinoSession):
    """A session that keeps the times of its nodes after every run."""

    def __init__(self, runtime: Runtime, package: Any, compiled: Any) -> None:
        super().__init__(runtime, package, compiled)
        self._runs: list[NodeRun] = []

    def invoke(self) -> None:
        """Run the model, and note the times of its nodes."""
        super().invoke()
        self._runs += [
            NodeRun(info.node_name, info.node_name, info.node_type, round(info.real_time.total_seconds() * 1e6))
            for info in self._request.profiling_info
            if info.status == info.status.EXECUTED
        ]

    def end_trace(self) -> list[NodeRun]:
        """Return the runs of all nodes."""
        return self._runs


def silence() -> None:
    """Leave out the package that reports every import of OpenVINO to its makers."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


def open_session(
    runtime: Runtime, path: Path, threads: int, delegate: Mapping[str, Any] | None = None
) -> OpenVinoSession:
    """Open an `.onnx` file; see `Runtime.open`.

    Raises:
        InvalidModel: The file is not a model, needs an operator that OpenVINO does not have, or has an input without a
            fixed size.
        RequestError: A delegate is given, which OpenVINO does not support.
    """
    if delegate is not None:
        raise RequestError(
            f"OpenVINO takes neither delegates nor execution providers; run {path.name} in onnxruntime with "
            "--provider, or leave it out"
        )
    package = runtime.load()
    return OpenVinoSession(runtime, package, _compile(package, path, threads))


def open_traced(runtime: Runtime, path: Path, threads: int, trace: Path) -> TracedOpenVinoSession:
    """Open an `.onnx` file with OpenVINO's counters, which need no file; see `open_session`."""
    package = runtime.load()
    return TracedOpenVinoSession(runtime, package, _compile(package, path, threads, PERF_COUNT=True))


def _compile(package: Any, path: Path, threads: int, **settings: Any) -> Any:
    core = package.Core()
    try:
        model = core.read_model(str(path))
        _fix_batch(model, path)
        return core.compile_model(model, DEVICE, {**SETTINGS, "INFERENCE_NUM_THREADS": threads, **settings})
    except RuntimeError as error:
        raise InvalidModel(f"{path.name} is not a model that OpenVINO can open: {_reason(error)}") from error


def _fix_batch(model: Any, path: Path) -> None:
    """Make an open batch 1.

    Raises:
        InvalidModel: Another size of an input is open.
    """
    shapes = {}
    for index, port in enumerate(model.inputs):
        sides = [side.get_length() if side.is_static else -1 for side in port.partial_shape]
        if -1 in sides[1:]:
            shown = ", ".join("?" if side < 0 else str(side) for side in sides)
            raise InvalidModel(
                f"input {port.any_name!r} of {path.name} has no fixed size ({shown}); export it with one"
            )
        shapes[index] = [abs(side) for side in sides]
    model.reshape(shapes)


def _tensor(port: Any, index: int) -> TensorInfo:
    sides = [side.get_length() if side.is_static else -1 for side in port.partial_shape]
    name = next(iter(port.names), str(index))
    return TensorInfo(name, tuple(sides), np.dtype(port.element_type.to_dtype()).name)


def _reason(error: Exception) -> str:
    lines = [line.strip().lstrip("- ") for line in str(error).splitlines()]
    facts = [line for line in lines if line and not line.startswith(PLACES)] or ["no reason given"]
    return facts[-1].partition(" Please check")[0][:200].rstrip(".")
