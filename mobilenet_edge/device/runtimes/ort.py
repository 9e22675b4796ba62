"""Run .onnx files in onnxruntime on the CPU."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mobilenet_edge.device.faults import DelegateFailed, InvalidModel, RequestError, first_line
from mobilenet_edge.device.runtimes import NodeRun, Runtime, TensorInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

DTYPES: Final = {
    "tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64",
    "tensor(int8)": "int8", "tensor(uint8)": "uint8", "tensor(int16)": "int16", "tensor(uint16)": "uint16",
    "tensor(int32)": "int32", "tensor(int64)": "int64", "tensor(bool)": "bool",
}  # fmt: skip
ERRORS_ONLY: Final = 3
CPU: Final = "CPUExecutionProvider"
# Has a session note which provider runs which nodes.
RECORD: Final = "session.record_ep_graph_assignment_info"
# End of the names of those events that are runs of a kernel.
KERNEL: Final = "_kernel_time"


class OrtSession:
    """An inference session with its current inputs."""

    def __init__(
        self, runtime: Runtime, package: Any, session: Any, path: Path, delegate: dict[str, Any] | None = None
    ) -> None:
        self.runtime = runtime.name
        self.version = runtime.version()
        self.delegate = delegate
        self.inputs = tuple(_tensor(argument, path) for argument in session.get_inputs())
        self.outputs = tuple(_tensor(argument, path, fixed=False) for argument in session.get_outputs())
        self._session = session
        self._errors = _error_types(package)
        self._feed: dict[str, NDArray[Any]] = {}
        self._output_names = [tensor.name for tensor in self.outputs]
        self._outputs: list[NDArray[Any]] = []

    def feed(self, inputs: Sequence[NDArray[Any]]) -> None:
        """Set the inputs of the next run; onnxruntime reads them in place."""
        self._feed = {tensor.name: values for tensor, values in zip(self.inputs, inputs)}

    def invoke(self) -> None:
        """Run the model."""
        try:
            self._outputs = self._session.run(self._output_names, self._feed)
        except self._errors as error:
            raise InvalidModel(f"the model cannot be run: {first_line(error)}") from error

    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the model on inputs and return the outputs, which are new arrays at each run."""
        self.feed(inputs)
        self.invoke()
        return self._outputs

    def end_trace(self) -> list[NodeRun]:
        """End the profiler of a session from `open_traced`, and return the runs of all nodes."""
        return node_runs(json.loads(Path(self._session.end_profiling()).read_text(encoding="utf-8")))


def silence() -> None:
    """Switch off the telemetry that onnxruntime 1.31 starts on import, with a database in the user's cache."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def open_session(
    runtime: Runtime,
    path: Path,
    threads: int,
    delegate: Mapping[str, Any] | None = None,
    trace: Path | None = None,
) -> OrtSession:
    """Open an `.onnx` file; see `Runtime.open`.

    Args:
        runtime: onnxruntime's entry of `RUNTIMES`.
        path: The file.
        threads: Threads within one inference.
        delegate: {"provider", "options"} of an execution provider, which runs what it can; None for the CPU alone.
        trace: Prefix of the path that onnxruntime's profiler writes to, None for no profiler.

    Raises:
        InvalidModel: The file is not a model, needs an operator that does not exist, or has an input without a fixed
            size.
        RequestError: A TFLite delegate is given, or a provider that this build of onnxruntime does not have.
        DelegateFailed: The provider does not start, or cannot run the model.
    """
    package = runtime.load()
    provider = None if delegate is None else _find_provider(package, delegate, path)
    options = package.SessionOptions()
    # Spinning of idle threads stays on, as it is by default in an application.
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = package.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = ERRORS_ONLY
    if trace is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(trace)
    if provider is not None:
        options.add_session_config_entry(RECORD, "1")
    try:
        session = package.InferenceSession(str(path), options, providers=_order(provider))
    except _error_types(package) as error:
        # "[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : Load model from x.onnx failed:Protobuf parsing failed."
        reason = first_line(error).rpartition(f"{path} failed:")[2]
        if provider is not None:
            raise DelegateFailed(f"{provider[0]} cannot open {path.name}: {reason}; leave out --provider") from error
        raise InvalidModel(f"{path.name} is not a model that onnxruntime can open: {reason}") from error
    return OrtSession(runtime, package, session, path, provider and _describe(session, *provider))


def _find_provider(package: Any, delegate: Mapping[str, Any], path: Path) -> tuple[str, dict[str, str]]:
    if "provider" not in delegate:
        raise RequestError(f"a delegate runs operators of .tflite files only, not of {path.name}; leave it out")
    name, known = delegate["provider"], package.get_available_providers()
    if name not in known:
        raise RequestError(
            f"onnxruntime {package.__version__} here has no execution provider {name!r}, only {', '.join(known)}; "
            "other builds have others"
        )
    if not hasattr(package.InferenceSession, "get_provider_graph_assignment_info"):
        raise RequestError(
            f"onnxruntime {package.__version__} does not tell what a provider runs; install 1.24 or newer"
        )
    return name, dict(delegate.get("options") or {})


def _order(provider: tuple[str, dict[str, str]] | None) -> list[Any]:
    # What the first does not take is the CPU's.
    return [CPU] if provider is None or provider[0] == CPU else [provider, CPU]


def _describe(session: Any, name: str, options: dict[str, str]) -> dict[str, Any]:
    """Describe how much of a model a provider runs, like `delegate.describe`.

    Raises:
        DelegateFailed: onnxruntime went on without the provider, because it did not start.
    """
    if name not in session.get_providers():
        raise DelegateFailed(f"{name} did not start; check the libraries and the device that it needs")
    counts = Counter[str]()
    for part in session.get_provider_graph_assignment_info():
        counts[part.ep_name] += len(part.get_nodes())
    return {"path": name, "options": options, "nodes": counts[name], "total": sum(counts.values()), "kind": "provider"}


def providers(package: Any) -> list[str]:
    """List the execution providers of this build, for `--provider`; the CPU's is no choice."""
    return [name for name in package.get_available_providers() if name != CPU]


def open_traced(runtime: Runtime, path: Path, threads: int, trace: Path) -> OrtSession:
    """Open an `.onnx` file with onnxruntime's profiler; see `open_session`."""
    return open_session(runtime, path, threads, trace=trace)


def node_runs(events: Iterable[Mapping[str, Any]]) -> list[NodeRun]:
    """Read the events of onnxruntime's profiler; those that are no run of a kernel are left out."""
    return [
        _node_run(event["name"][: -len(KERNEL)], int(event["dur"]), event["args"])
        for event in events
        if event.get("cat") == "Node" and event["name"].endswith(KERNEL)
    ]


def _node_run(name: str, us: int, details: Mapping[str, Any]) -> NodeRun:
    # [{"float": [1, 16, 64, 64]}]
    shapes = [tuple(shape) for entry in details.get("output_type_shape", []) for shape in entry.values()]
    size = sum(int(details.get(key, 0)) for key in ("activation_size", "output_size"))
    key = f"{name} {details.get('node_index', '')}"
    return NodeRun(key, name, details["op_name"], us, shapes[0] if shapes else (), size)


def _error_types(package: Any) -> tuple[type[Exception], ...]:
    # onnxruntime's exceptions have no common base below Exception.
    state = package.capi.onnxruntime_pybind11_state
    return tuple(value for value in vars(state).values() if isinstance(value, type) and issubclass(value, Exception))


def _tensor(argument: Any, path: Path, *, fixed: bool = True) -> TensorInfo:
    if argument.type not in DTYPES:
        raise InvalidModel(f"{argument.name!r} of {path.name} is a {argument.type}, not a tensor of numbers")
    # An open size is a name or None.
    shape = [side if isinstance(side, int) else -1 for side in argument.shape]
    shape[:1] = [1 if side == -1 else side for side in shape[:1]]
    if fixed and -1 in shape:
        sides = ", ".join(str(side or "?") for side in argument.shape)
        raise InvalidModel(f"input {argument.name!r} of {path.name} has no fixed size ({sides}); export it with one")
    return TensorInfo(argument.name, tuple(shape), DTYPES[argument.type])
