"""Measure in a new process for each artifact, thread count, round and mode.

The worker reads a request, one line of JSON, on stdin. It prints one JSON document to stdout: the result of the mode,
or {"error": {"kind", "message", …}} for an expected failure. The exit code is 0 in both cases. docs/profiling.md lists
the fields. The modes "stream" and "member" go on from there; see
`batches` and `throughput`. All output of a runtime goes to stderr.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import Any, Final, NoReturn, TextIO

from mobilenet_edge import __version__
from mobilenet_edge.device import busy, memory, runtimes, streams
from mobilenet_edge.device.faults import DeviceError, RequestError, RuntimeBroken, first_line
from mobilenet_edge.device.timing import Stop

# Argument of a worker that imports what most modes need before it reads its request.
AHEAD: Final = "ahead"
# What it then writes to stdout, before anything else.
READY: Final = b'"ready"\n'
# "module:function" of each mode; only the requested one is imported, so that workers start fast.
MODES: Final = {
    "time": "measure:latency",
    "memory": "measure:memory",
    "ops": "ops:run",
    "outputs": "outputs:run",
    "stream": "batches:run",
    "parallel": "throughput:run",
    "member": "throughput:member",
    "limit": "peak:run",
    "ways": "stages:ways",
    "stages": "stages:run",
    "energy": "energy:run",
    "doctor": "checkup:run",
    "setup": "setup:run",
    "arena": "arena:run",
}
OF_A_MODEL: Final = ("time", "memory", "ops", "outputs", "stream", "parallel", "member", "arena", "stages", "energy")
# Modes that read on from stdin, and write the answers themselves.
CONVERSING: Final = ("stream", "member")
MEASURING: Final = ("time", "memory", "ops", "limit", "parallel", "stages", "energy")


@dataclass(frozen=True)
class Request:
    """A request to the worker. Each mode ignores the fields it does not use.

    Attributes:
        mode: A key of `MODES`.
        artifact: Path of the model file on this machine; empty for modes without a model.
        runtime: A key of `runtimes.RUNTIMES` or "auto".
        threads: Threads within one inference.
        seed: Seed of the noise.
        warmup: End of the warm-up; in JSON, the fields of `Stop`.
        steady: End of the steady phase; in JSON, the fields of `Stop`.
        affinity: Numbers of the CPUs to run on, None for all.
        leased: Whether the worker ends when its stdin closes.
        delegate: {"path": library on this machine, "options": {name: value}}, or "provider" of onnxruntime instead of
            "path"; None for none.
        inputs: Path of an .npy file on this machine, (count, *shape of the model's only input); None for noise. Of
            "stages", fitted pictures to compare with.
        pictures: Path of a zip file of pictures on this machine, for "stages".
        preprocess: How "stages" makes an input of a picture: {"rule", "layout"}, see `stages.Stages`.
        way: What "stages" decodes and fits pictures with: a key of `stages.WAYS`.
        external: Whether a meter outside the machine measures, for "energy".
        period_ns: Time from the start of one steady run to the next, None for no pause.
        sample_seconds: Minimum time between two readings of `facts.volatile` in the steady phase.
        processes: Number of processes of "parallel".
        packages: Requirements that "setup" passes to pip, empty for the runtimes that fit this machine.
    """

    mode: str
    artifact: str = ""
    runtime: str = runtimes.AUTO
    threads: int = 1
    seed: int = 0
    warmup: Stop = field(default_factory=Stop)
    steady: Stop = field(default_factory=Stop)
    affinity: list[int] | None = None
    leased: bool = False
    delegate: dict[str, Any] | None = None
    inputs: str | None = None
    pictures: str | None = None
    preprocess: dict[str, Any] | None = None
    way: str = ""
    external: bool = False
    period_ns: int | None = None
    sample_seconds: float = 1.0
    processes: int = 0
    packages: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise RequestError(f"no mode is called {self.mode!r}; give one of {', '.join(MODES)}")
        if self.mode in OF_A_MODEL and not self.artifact:
            raise RequestError(f"mode {self.mode!r} needs an artifact; give the path of a model file")
        if self.threads < 1:
            raise RequestError(f"threads must be at least 1, got {self.threads}")
        if self.period_ns is not None and self.period_ns < 1:
            raise RequestError(f"period_ns must be at least 1, got {self.period_ns}")
        if not self.sample_seconds > 0:
            raise RequestError(f"sample_seconds must be above 0, got {self.sample_seconds}")

    @classmethod
    def from_json(cls, text: str | bytes) -> Request:
        """Parse a request.

        Raises:
            RequestError: The text is not JSON, or a field is missing, unknown, of the wrong type or out of range.
        """
        try:
            data = json.loads(text)
            stops = {name: Stop(**data[name]) for name in ("warmup", "steady") if name in data}
            return cls(**{**data, **stops})
        except (ValueError, TypeError) as error:
            names = ", ".join(field.name for field in fields(cls))
            raise RequestError(f"the request cannot be read: {first_line(error)}; its fields are {names}") from error


def serve(words: Sequence[str] = ()) -> NoReturn:
    """Answer the request on stdin, and end the process.

    Args:
        words: `AHEAD` for a worker that is started before its request is known.
    """
    if AHEAD in words:
        with suppress(RuntimeBroken):
            find_mode("time")
        os.write(1, READY)
    code, delegated = _answer(streams.claim_stdout())
    sys.stderr.flush()
    if not delegated:
        # At once: tearing down a runtime takes longer than many an inference. A delegate may have a device to release.
        os._exit(code)
    sys.exit(code)


def main() -> int:
    """Answer the request on stdin, and return the exit code."""
    return _answer(streams.claim_stdout())[0]


def _answer(out: TextIO) -> tuple[int, bool]:
    """Answer the request on stdin, and return the exit code and whether a delegate was asked for."""
    delegated = False
    try:
        request = Request.from_json(sys.stdin.buffer.readline())
        delegated = request.delegate is not None
        if request.leased:
            threading.Thread(target=end_with_stdin, daemon=True).start()
        if request.affinity is not None:
            _pin(request.affinity)
        memory.bound()
        if request.mode in CONVERSING:
            return find_mode(request.mode)(request, out), delegated
        with busy.measuring() if request.mode in MEASURING else nullcontext():
            answer = find_mode(request.mode)(request)
    except DeviceError as error:
        answer = {"error": error.to_dict()}
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        disk_full = DeviceError("no space left in the temporary folder; free some, or set TMPDIR to another")
        answer = {"error": disk_full.to_dict()}
    with out:
        json.dump({"version": __version__, **answer}, out)
    return 0, delegated


def find_mode(mode: str) -> Callable[..., Any]:
    """Import the function that answers a mode; those of `CONVERSING` also take stdout.

    Raises:
        RuntimeBroken: The mode needs numpy, which this Python does not have.
    """
    module, _, name = MODES[mode].partition(":")
    try:
        function: Callable[..., Any] = getattr(import_module(f"{__package__}.{module}"), name)
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        raise RuntimeBroken(
            f"{sys.executable} has no numpy, which every runtime needs; run: {sys.executable} -m pip install numpy"
        ) from error
    return function


def _pin(affinity: list[int]) -> None:
    if not hasattr(os, "sched_setaffinity"):
        raise RequestError("this system cannot bind a process to CPUs; leave out --affinity")
    with suppress(OSError, OverflowError, ValueError):
        os.sched_setaffinity(0, affinity)
    # The system ignores CPUs that do not exist if at least one does.
    missing = sorted(set(affinity) - os.sched_getaffinity(0))
    if missing:
        names = ", ".join(map(str, missing))
        raise RequestError(f"there is no CPU {names} to run on; --affinity is from 0 to {(os.cpu_count() or 1) - 1}")


def end_with_stdin() -> None:
    """End the process when its stdin ends."""
    while os.read(0, 4096):
        pass
    os._exit(1)
