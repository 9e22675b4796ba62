"""The program that measures: a fresh process for each artifact, thread count, round and mode.

One line of JSON on stdin is the request, one JSON document on stdout the answer: what the mode returns, or
{"error": {"kind", "message", …}} for an expected failure; docs/measuring.md has the fields. The exit code is 0 either
way. Everything a runtime prints goes to stderr.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import Any, Final

from mobilenet_edge import __version__
from mobilenet_edge.device import busy, memory, runtimes, streams
from mobilenet_edge.device.faults import DeviceError, RequestError, RuntimeBroken, first_line
from mobilenet_edge.device.timing import Stop

# Module and function; only that of the mode asked for is imported, since every worker pays for its start.
MODES: Final = {
    "time": "measure:latency",
    "memory": "measure:memory",
    "ops": "ops:run",
    "limit": "peak:run",
    "doctor": "checkup:run",
    "setup": "setup:run",
}
OF_A_MODEL: Final = ("time", "memory", "ops")
MEASURING: Final = (*OF_A_MODEL, "limit")


@dataclass(frozen=True)
class Request:
    """What to do. A mode passes over what it has no use for.

    Attributes:
        mode: A key of `MODES`.
        artifact: Path of the model file on this machine; empty for the modes that open none.
        runtime: A key of `runtimes.RUNTIMES` or "auto".
        threads: Threads within one inference.
        seed: Of the noise.
        warmup: When the warm-up is over, the fields of `Stop`.
        steady: When the steady phase is over, likewise.
        affinity: CPUs to run on, None for all.
        leased: stdin stays open for as long as the answer is wanted; when it closes, the worker ends.
        delegate: {"path": of its library on this machine, "options": {name: value}}, None for none.
        inputs: Path of an .npy file on this machine, (count, *shape of the model's only input); None for noise.
        period_ns: From the start of one steady run to that of the next, None for as soon as possible.
        sample_seconds: At least so long between two looks at the machine during the steady phase.
        packages: What "setup" installs, as pip takes it.
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
    period_ns: int | None = None
    sample_seconds: float = 1.0
    packages: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise RequestError(f"no mode is called {self.mode!r}; there are {', '.join(MODES)}")
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
            RequestError: Not JSON, a field is missing, unknown, of the wrong type or out of range.
        """
        try:
            data = json.loads(text)
            stops = {name: Stop(**data[name]) for name in ("warmup", "steady") if name in data}
            return cls(**{**data, **stops})
        except (ValueError, TypeError) as error:
            names = ", ".join(each.name for each in fields(cls))
            raise RequestError(f"the request cannot be read: {first_line(error)}; its fields are {names}") from error


def main() -> int:
    """Answer the request on stdin; the console entry of `python -m mobilenet_edge.device`."""
    out = streams.claim_stdout()
    try:
        request = Request.from_json(sys.stdin.buffer.readline())
        if request.leased:
            threading.Thread(target=_end_with_stdin, daemon=True).start()
        if request.affinity is not None:
            _pin(request.affinity)
        memory.bound()
        with busy.measuring() if request.mode in MEASURING else nullcontext():
            answer = find(request.mode)(request)
    except DeviceError as error:
        answer = {"error": error.to_dict()}
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        full = DeviceError("no space left in the temporary folder; free some, or set TMPDIR to another")
        answer = {"error": full.to_dict()}
    with out:
        json.dump({"version": __version__, **answer}, out)
    return 0


def find(mode: str) -> Callable[[Request], dict[str, Any]]:
    """Import the function that answers a mode.

    Raises:
        RuntimeBroken: It needs numpy, and this Python has none.
    """
    module, _, name = MODES[mode].partition(":")
    try:
        function: Callable[[Request], dict[str, Any]] = getattr(import_module(f"{__package__}.{module}"), name)
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        raise RuntimeBroken(
            f"{sys.executable} has no numpy, which every runtime needs; run: {sys.executable} -m pip install numpy"
        ) from error
    return function


def _pin(affinity: list[int]) -> None:
    if not hasattr(os, "sched_setaffinity"):
        raise RequestError("this system cannot hold a process to CPUs; leave out --affinity")
    with suppress(OSError, OverflowError, ValueError):
        os.sched_setaffinity(0, affinity)
    # Of several CPUs those that are not there are passed over without a word.
    missing = sorted(set(affinity) - os.sched_getaffinity(0))
    if missing:
        names = ", ".join(map(str, missing))
        raise RequestError(f"there is no CPU {names} to run on; --affinity is from 0 to {(os.cpu_count() or 1) - 1}")


def _end_with_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)
