"""Runtimes: what opens a model file and runs it. A backend is a module; the table and the Protocol are here.

To add one, write a module with `open_session(runtime, path, threads, delegate)` and add its line to `RUNTIMES`.
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
        name: As the file has it.
        shape: Fixed, a batch of any size being opened as 1; -1 where the size of an output is not known beforehand.
        dtype: Its numpy name, "float32" or "int8" for instance.
        scale: Of a quantised tensor, real = (integer - zero_point) * scale; None where there is none or it is unknown.
        zero_point: Likewise.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


class Session(Protocol):
    """An open model, ready to run.

    `run` is `feed`, `invoke` and fetching the outputs; the timing loop takes the parts, so that the copy of the input
    is not in the time of the inference.
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
        """What became of the delegate: path, options, nodes (operators it took) of total, kind; None without one."""

    def feed(self, inputs: Sequence[NDArray[Any]]) -> None:
        """Put inputs in place, each of the shape and type of its tensor."""

    def invoke(self) -> None:
        """Run the model on what was fed last."""

    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Feed, invoke and return copies of the outputs."""


@dataclass(frozen=True)
class Runtime:
    """One line of the table.

    Attributes:
        name: On the command line and in records.
        title: In messages.
        format: What it opens.
        package: The module to import.
        backend: Our module that adapts it.
    """

    name: str
    title: str
    format: str
    package: str
    backend: str

    def installed(self) -> bool:
        """Tell whether its package is there, without importing it."""
        return importlib.util.find_spec(self.package.partition(".")[0]) is not None

    def load(self) -> ModuleType:
        """Import the package.

        Raises:
            RuntimeMissing: It is not installed.
            RuntimeBroken: It is, and cannot be loaded.
        """
        if not self.installed():
            raise self.missing()
        # onnxruntime 1.31 starts a thread at its import and keeps a database of events in the user's cache.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        try:
            return importlib.import_module(self.package)
        except ImportError as error:
            from mobilenet_edge.device.runtimes import wheels

            # Where the newest is not the one that fits, it is most often the newest that was installed.
            wheel, cure = wheels.find(self.name), "install it anew"
            if wheel is None:
                cure = "no version of it fits this machine"
            elif wheel.extra is None:
                cure = f"run: pip install {wheel.requirement}"
            raise RuntimeBroken(
                f"{self.title} is installed and cannot be loaded: {first_line(error)}; {cure}"
            ) from error

    def open(self, path: Path, threads: int, delegate: Mapping[str, Any] | None = None) -> Session:
        """Open a model, with the delegate {"path", "options"} if one is given.

        Raises:
            RuntimeMissing: The runtime is not installed.
            RuntimeBroken: It cannot be loaded.
            InvalidModel: It cannot open the file.
            RequestError: The delegate is no library that can be loaded, or the runtime takes none.
            DelegateFailed: The delegate does not start, or does not get on with the model.
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


# The first that is installed serves its format, so the better one comes first.
RUNTIMES: Final = {
    each.name: each
    for each in (
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
        InvalidModel: The file is of neither format.
        RequestError: No runtime has this name, or it does not open this format.
        RuntimeMissing: None for this format is installed.
    """
    serving = [each for each in RUNTIMES.values() if each.format == model_format(path)]
    if name == AUTO:
        for each in serving:
            if each.installed():
                return each
        raise _missing(serving)
    if name not in RUNTIMES:
        raise RequestError(f"no runtime is called {name!r}; there are {', '.join((AUTO, *RUNTIMES))}")
    if RUNTIMES[name] not in serving:
        names = " or ".join(each.name for each in serving)
        raise RequestError(f"{RUNTIMES[name].title} does not open {path.name}; use {names}")
    return RUNTIMES[name]


def model_format(path: Path) -> str:
    """Return "tflite" or "onnx", by the mark in the file or else by its name.

    Raises:
        InvalidModel: Neither, or the file cannot be read.
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
    """Open a model in this process, without the runtime's chatter.

    Args:
        path: A `.tflite` or `.onnx` file.
        threads: Threads within one inference.
        runtime: A key of `RUNTIMES` or "auto"; `session.runtime` says which it became.
        delegate: {"path", "options"}, None for none.

    Raises:
        InvalidModel: The file cannot be opened.
        RequestError: The runtime does not exist or does not open this format, or the delegate is no such library.
        DelegateFailed: The delegate does not start, or does not get on with the model.
        RuntimeMissing: It is not installed.
        RuntimeBroken: It cannot be loaded.
    """
    chosen = choose(path, runtime)
    with streams.quiet():
        return chosen.open(path, threads, delegate)


def _missing(serving: Sequence[Runtime]) -> RuntimeMissing:
    from mobilenet_edge.device.runtimes import wheels

    # Of several, name the first that this machine can have.
    return next((each for each in serving if wheels.find(each.name)), serving[0]).missing()
