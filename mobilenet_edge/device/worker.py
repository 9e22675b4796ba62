"""The program that measures: a fresh process for each artifact, thread count, round and mode.

One line of JSON on stdin is the request, one JSON document on stdout the answer: what the mode returns, or
{"error": {"kind", "message", …}} for an expected failure; docs/measuring.md has the fields. The exit code is 0 either
way. Everything a runtime prints goes to stderr.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import __version__
from mobilenet_edge.device import facts, inputs, runtimes, streams
from mobilenet_edge.device.faults import DeviceError, RequestError, first_line
from mobilenet_edge.device.timing import Stop, repeat

INPUT_SETS: Final = 4


@dataclass(frozen=True)
class Request:
    """What to do.

    Attributes:
        mode: "time" or "memory".
        artifact: Path of the model file on this machine.
        runtime: A key of `runtimes.RUNTIMES` or "auto".
        threads: Threads within one inference.
        seed: Of the inputs.
        warmup: When the warm-up is over, the fields of `Stop`.
        steady: When the steady phase is over, likewise.
        affinity: CPUs to run on, None for all.
        leased: stdin stays open for as long as the answer is wanted; when it closes, the worker ends.
    """

    mode: str
    artifact: str
    runtime: str = runtimes.AUTO
    threads: int = 1
    seed: int = 0
    warmup: Stop = field(default_factory=Stop)
    steady: Stop = field(default_factory=Stop)
    affinity: list[int] | None = None
    leased: bool = False

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise RequestError(f"no mode is called {self.mode!r}; there are {', '.join(MODES)}")
        if self.threads < 1:
            raise RequestError(f"threads must be at least 1, got {self.threads}")

    @classmethod
    def from_json(cls, text: str | bytes) -> Request:
        """Parse a request.

        Raises:
            RequestError: Not JSON, a field is missing, unknown or of the wrong type.
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
        answer = MODES[request.mode](request)
    except DeviceError as error:
        answer = {"error": error.to_dict()}
    with out:
        json.dump({"version": __version__, **answer}, out)
    return 0


def measure(request: Request) -> dict[str, Any]:
    """Time a model: opening it, its first inference, the warm-up, and the steady phase."""
    session, import_ns, load_ns = _open(request)
    phase = _phases(session, request)
    first = phase(Stop(runs=1))
    warmup = phase(request.warmup)
    # A collection in the middle of a run would be timed as the model's.
    gc.collect()
    gc.disable()
    before, began = facts.volatile(), _usage()
    steady = phase(request.steady)
    ended, after = _usage(), facts.volatile()
    return {
        "runtime": session.runtime,
        "runtime_version": session.version,
        "inputs": [asdict(tensor) for tensor in session.inputs],
        "outputs": [asdict(tensor) for tensor in session.outputs],
        "fed": inputs.DESCRIPTION,
        "import_ns": import_ns,
        "load_ns": load_ns,
        "first_ns": first[0],
        "warmup_runs": len(warmup),
        "times_ns": steady,
        "usage": {name: ended[name] - began[name] for name in began},
        "host": facts.static(),
        "before": before,
        "after": after,
    }


def weigh(request: Request) -> dict[str, Any]:
    """Read the resident memory before a model is opened, and at its peak after running each set of inputs once."""
    runtimes.choose(Path(request.artifact), request.runtime).load()
    baseline = facts.memory_of_self("VmRSS")
    session, _, _ = _open(request)
    _phases(session, request)(Stop(runs=INPUT_SETS))
    return {"baseline_rss_bytes": baseline, "peak_rss_bytes": facts.memory_of_self("VmHWM")}


MODES: Final = {"time": measure, "memory": weigh}


def _open(request: Request) -> tuple[runtimes.Session, int, int]:
    path = Path(request.artifact)
    runtime = runtimes.choose(path, request.runtime)
    start = time.perf_counter_ns()
    runtime.load()
    loaded = time.perf_counter_ns()
    session = runtime.open(path, request.threads)
    return session, loaded - start, time.perf_counter_ns() - loaded


def _phases(session: runtimes.Session, request: Request) -> Callable[[Stop], list[int]]:
    sets = itertools.cycle(inputs.noise(session.inputs, seed=request.seed, count=INPUT_SETS))
    return partial(repeat, session.invoke, prepare=lambda: session.feed(next(sets)))


def _pin(affinity: list[int]) -> None:
    try:
        os.sched_setaffinity(0, affinity)
    except (OSError, AttributeError) as error:
        raise RequestError(
            f"cannot run on CPUs {affinity}: {first_line(error)}; there are {os.cpu_count()}, from 0"
        ) from error


def _usage() -> dict[str, int]:
    return {
        "wall_ns": time.perf_counter_ns(),
        "cpu_ns": time.process_time_ns(),
        "involuntary_switches": resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw,
    }


def _end_with_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)
