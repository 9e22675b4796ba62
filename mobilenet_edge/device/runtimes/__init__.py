"""Open model files with the installed runtimes. Each backend is a module; the table and the Protocol are here.

To add a runtime, write a module with `open_session(runtime, path, threads, delegate)` and add it to `RUNTIMES`.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from mobilenet_edge.device import streams
from mobilenet_edge.device.faults import InvalidModel, RequestError, RuntimeBroken, RuntimeMissing, first_line

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

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
class Runtime:
    """One entry of the table of runtimes.

    Attributes:
        name: Name on the command line and in records.
        title: Name in messages.
        format: Format of the files it opens, "tflite" or "onnx".
        package: Name of the module to import.
        backend: Name of the module in this folder that adapts it.
    """

    name: str
    title: str
    format: str
    package: str
    backend: str

    def installed(self) -> bool:
        """Return whether the package is installed, without importing it."""
        return importlib.util.find_spec(self.package.partition(".")[0]) is not None

    def load(self) -> ModuleType:
        """Import the package.

        Raises:
            RuntimeMissing: The package is not installed.
            RuntimeBroken: The package is installed but cannot be loaded.
        """
        if not self.installed():
            raise self.missing()
        # On import, onnxruntime 1.31 starts a telemetry thread and writes a database to the user's cache.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        try:
            return importlib.import_module(self.package)
        except ImportError as error:
            from mobilenet_edge.device.runtimes import wheels

            # The usual cause is that pip chose the newest version and only an older one fits this machine.
            wheel, remedy = wheels.find(self.name), "install it again"
            if wheel is None:
                remedy = "no version of it fits this machine"
            elif wheel.extra is None:
                remedy = f"run: pip install {wheel.requirement}"
            raise RuntimeBroken(
                f"{self.title} is installed but cannot be loaded: {first_line(error)}; {remedy}"
            ) from error

    def open(self, path: Path, threads: int, delegate: Mapping[str, Any] | None = None) -> Session:
        """Open a model.

        Args:
            path: The model file.
            threads: Threads within one inference.
            delegate: {"path", "options"}, None for none.

        Raises:
            RuntimeMissing: The runtime is not installed.
            RuntimeBroken: The runtime cannot be loaded.
            InvalidModel: The runtime cannot open the file.
            RequestError: The delegate cannot be loaded, or the runtime supports none.
            DelegateFailed: The delegate does not start, or cannot run the model.
        """
        backend = importlib.import_module(f"{__name__}.{self.backend}")
        session: Session = backend.open_session(self, path, threads, delegate)
        return session

    def missing(self) -> RuntimeMissing:
        """Build the exception that says what to install on this machine."""
        from mobilenet_edge.device.runtimes import wheels

        wheel = wheels.find(self.name)
        if wheel is None:
            machine = wheels.words(*wheels.here())
            return RuntimeMissing(f"{self.title} is not installed, and there is no wheel of it for {machine}")
        return RuntimeMissing(f"{self.title} is not installed", wheel.extra, wheel.requirement)


# By default the first installed runtime of a format is used, so the better one comes first.
RUNTIMES: Final = {
    runtime.name: runtime
    for runtime in (
        Runtime("litert", "LiteRT", "tflite", "ai_edge_litert.interpreter", "litert"),
        Runtime("tflite-runtime", "tflite-runtime", "tflite", "tflite_runtime.interpreter", "litert"),
        Runtime("onnxruntime", "onnxruntime", "onnx", "onnxruntime", "ort"),
    )
}


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
        for runtime in candidates:
            if runtime.installed():
                return runtime
        raise _missing(candidates)
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
        delegate: {"path", "options"}, None for none.

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


def _missing(candidates: Sequence[Runtime]) -> RuntimeMissing:
    from mobilenet_edge.device.runtimes import wheels

    # Suggest the first runtime that has a wheel for this machine.
    return next((runtime for runtime in candidates if wheels.find(runtime.name)), candidates[0]).missing()
