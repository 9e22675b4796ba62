"""Open model files with the installed runtimes. Each backend is a module; the table and the Protocol are here.

To add a runtime, write a module with `open_session(runtime, path, threads, delegate)` and add its row to `RUNTIMES`.
The choices of the command line, `mnet doctor`, `mnet setup-host` and the fingerprints of a sweep follow from the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from mobilenet_edge.device import streams
from mobilenet_edge.device.faults import InvalidModel, RequestError
from mobilenet_edge.device.runtimes.runtime import Runtime
from mobilenet_edge.device.runtimes.wheels import Version, Wheel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "AUTO",
    "RUNTIMES",
    "NodeRun",
    "Runtime",
    "Session",
    "TensorInfo",
    "TracedSession",
    "choose",
    "model_format",
    "open_model",
    "requirements",
]
AUTO: Final = "auto"


@dataclass(frozen=True)
class TensorInfo:
    """An input or output of a model.

    Attributes:
        name: Name of the tensor in the file.
        shape: Fixed sizes, an open batch being 1; -1 for a size of an output that is unknown before a run.
        dtype: Name of the numpy dtype, such as "float32" or "int8".
        scale: Scale of a quantised tensor: real = (integer - zero_point) * scale; None if there is none or unknown.
        zero_point: Zero point of a quantised tensor, None with `scale`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


class Session(Protocol):
    """An open model, ready to run.

    `run` does all of `feed`, `invoke` and copying the outputs. The timing loop calls `feed` and `invoke`, so that the
    copy of the input does not count as inference.
    """

    @property
    def runtime(self) -> str:
        """The name of the runtime in `RUNTIMES`."""

    @property
    def version(self) -> str:
        """The version of the runtime."""

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """The inputs, in the file's order."""

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """The outputs, in the file's order."""

    @property
    def delegate(self) -> dict[str, Any] | None:
        """What the delegate runs: path, options, nodes (delegated operators) of total, kind; None without one."""

    def feed(self, inputs: Sequence[NDArray[Any]]) -> None:
        """Set the inputs, each of the shape and dtype of its tensor."""

    def invoke(self) -> None:
        """Run the model on the current inputs."""

    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the model on inputs and return copies of the outputs."""


@dataclass(frozen=True)
class NodeRun:
    """One run of one node of a model, as the profiler of its runtime reports it.

    Attributes:
        key: Tells the nodes of a model apart.
        name: Node name; often shows which nodes were fused into it.
        kind: Op type, such as Conv or QLinearConv.
        us: Duration in microseconds.
        shape: Shape of the first output in the runtime's layout; empty if not reported.
        activation_bytes: Size of inputs and outputs, without constants; None if not reported.
    """

    key: str
    name: str
    kind: str
    us: int
    shape: tuple[int, ...] = ()
    activation_bytes: int | None = None


class TracedSession(Session, Protocol):
    """A session whose runtime times every node.

    An adapter whose runtime can do that has `open_traced(runtime, path, threads, trace)`, where `trace` is the path of
    a file that it may write, without an extension.
    """

    def end_trace(self) -> list[NodeRun]:
        """Stop the profiler, and return the runs of the nodes in the order of their execution."""


# By default the first installed runtime of a format is used, so the better one comes first.
RUNTIMES: Final = {
    runtime.name: runtime
    for runtime in (
        Runtime(
            "litert", "LiteRT", "tflite", "ai_edge_litert.interpreter", "ai-edge-litert", "litert",
            (
                Wheel(
                    "'ai-edge-litert>=2.1'", {"x86_64": (2, 27), "aarch64": (2, 34), "arm64": None},
                    (3, 10), extra="tflite",
                ),
                # The last with wheels for Python 3.9, and the last that loads on Debian 11.
                Wheel("ai-edge-litert==2.1.0", {"x86_64": (2, 27), "aarch64": (2, 30)}, (3, 9), (3, 13)),
            ),
        ),
        Runtime(
            "tflite-runtime", "tflite-runtime", "tflite", "tflite_runtime.interpreter", "tflite-runtime", "litert",
            (
                Wheel(
                    "tflite-runtime==2.14.0 'numpy<2'", {"x86_64": (2, 29), "aarch64": (2, 34), "armv7l": (2, 34)},
                    (3, 8), (3, 11), extra="tflite-legacy",
                ),
                # The last whose tag pip accepts on Debian 11.
                Wheel("tflite-runtime==2.13.0 'numpy<2'", {"aarch64": (2, 27), "armv7l": (2, 27)}, (3, 8), (3, 10)),
            ),
        ),
        Runtime(
            "onnxruntime", "onnxruntime", "onnx", "onnxruntime", "onnxruntime", "ort",
            (Wheel("onnxruntime", {"x86_64": (2, 27), "aarch64": (2, 27), "arm64": None}, (3, 9), extra="onnx"),),
        ),
        Runtime(
            "openvino", "OpenVINO", "onnx", "openvino", "openvino", "openvino",
            (Wheel("openvino", {"x86_64": (2, 28), "aarch64": (2, 35), "arm64": None}, (3, 10), extra="openvino"),),
        ),
        # Reference kernels: for the answers and the memory of a microcontroller, not for speed.
        Runtime(
            "tflm", "TensorFlow Lite Micro", "tflite", "tflite_micro", "tflite-micro", "tflm",
            (Wheel("tflite-micro", {"x86_64": (2, 28)}, (3, 10), extra="tflm"),), automatic=False,
        ),
    )
}  # fmt: skip


def requirements(machine: str, python: Version, glibc: Version | None) -> dict[str, str | None]:
    """Return how to install each runtime on a machine.

    Args:
        machine: Value of `uname -m`; if the kernel is 64-bit and the system 32-bit, that of the system.
        python: Major and minor version of Python.
        glibc: Major and minor version of glibc, None for another C library.

    Returns:
        For each key of `RUNTIMES` the arguments of pip, quoted for a shell; None if no wheel fits.
    """
    chosen = {name: runtime.wheel_for(machine, python, glibc) for name, runtime in RUNTIMES.items()}
    return {name: None if wheel is None else wheel.requirement for name, wheel in chosen.items()}


def choose(path: Path, name: str = AUTO) -> Runtime:
    """Choose the runtime for a file.

    Args:
        path: A `.tflite` or `.onnx` file.
        name: A key of `RUNTIMES`, or "auto" for the first installed one that opens the format.

    Raises:
        InvalidModel: The file has neither format.
        RequestError: The runtime is unknown, or does not open this format.
        RuntimeMissing: No runtime for this format is installed.
    """
    candidates = [runtime for runtime in RUNTIMES.values() if runtime.format == model_format(path)]
    if name == AUTO:
        automatic = [runtime for runtime in candidates if runtime.automatic]
        for runtime in automatic:
            if runtime.installed():
                return runtime
        # Suggest the first runtime that has a wheel for this machine.
        raise next((runtime for runtime in automatic if runtime.wheel()), automatic[0]).missing()
    if name not in RUNTIMES:
        raise RequestError(f"no runtime is called {name!r}; give one of {', '.join((AUTO, *RUNTIMES))}")
    if RUNTIMES[name] not in candidates:
        names = " or ".join(runtime.name for runtime in candidates)
        raise RequestError(f"{RUNTIMES[name].title} does not open {path.name}; use {names}")
    return RUNTIMES[name]


def model_format(path: Path) -> str:
    """Return "tflite" or "onnx", by the identifier in the file or by its extension.

    Raises:
        InvalidModel: The file has neither format, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise InvalidModel(f"{path.name} cannot be read: {error.strerror}") from error
    if head[4:] == b"TFL3" or path.suffix == ".tflite":
        return "tflite"
    if path.suffix == ".onnx":
        return "onnx"
    raise InvalidModel(f"{path.name} is neither a .tflite nor an .onnx file; make one with: mnet export")


def open_model(
    path: Path, *, threads: int = 1, runtime: str = AUTO, delegate: Mapping[str, Any] | None = None
) -> Session:
    """Open a model in this process, without log messages of the runtime.

    Args:
        path: A `.tflite` or `.onnx` file.
        threads: Threads within one inference.
        runtime: A key of `RUNTIMES` or "auto"; `session.runtime` is the chosen one.
        delegate: {"path", "options"} or {"provider", "options"}, None for none.

    Raises:
        InvalidModel: The file cannot be opened.
        RequestError: The runtime is unknown or does not open this format, or the delegate cannot be loaded.
        DelegateFailed: The delegate does not start, or cannot run the model.
        RuntimeMissing: The runtime is not installed.
        RuntimeBroken: The runtime cannot be loaded.
    """
    chosen = choose(path, runtime)
    with streams.quiet():
        return chosen.open(path, threads, delegate)
