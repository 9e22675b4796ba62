"""Measure the latency or the memory of one model in this process (the modes "time" and "memory")."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mobilenet_edge.device import busy, facts, inputs, runtimes
from mobilenet_edge.device.timing import Stop, repeat

try:
    import resource
except ImportError:  # Windows, which does not count context switches
    resource = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mobilenet_edge.device.worker import Request

INPUT_SETS: Final = 4


def latency(request: Request) -> dict[str, Any]:
    """Time a model: opening it, its first inference, the warm-up and the steady phase.

    Returns:
        The fields that docs/profiling.md lists for this mode.

    Raises:
        DeviceError: The model, its runtime or delegate, or the file of inputs cannot be used.
    """
    concurrent = busy.others()
    session, import_ns, load_ns = open_timed(request)
    images = inputs.images(Path(request.inputs), session.inputs) if request.inputs else None
    next_set = _noise(session, request) if images is None else inputs.rotate_images(images)
    phase = partial(repeat, session.invoke, prepare=lambda: session.feed(next_set()))
    first = phase(Stop(runs=1))
    warmup = phase(request.warmup)
    samples: list[dict[str, Any]] = []
    # A garbage collection during a run would count as the model's time.
    gc.collect()
    gc.disable()
    before, usage_before = facts.volatile(), _usage()
    sample = partial(_sample, samples, request.sample_seconds)
    steady = phase(request.steady, between=sample, period_ns=request.period_ns)
    usage_after, after = _usage(), facts.volatile()
    return {
        "runtime": session.runtime,
        "runtime_version": session.version,
        "delegate": session.delegate,
        "inputs": [asdict(tensor) for tensor in session.inputs],
        "outputs": [asdict(tensor) for tensor in session.outputs],
        "fed": inputs.describe(images),
        "import_ns": import_ns,
        "load_ns": load_ns,
        "first_ns": first[0],
        "warmup_runs": len(warmup),
        "times_ns": steady,
        "samples": samples,
        "usage": {name: usage_after[name] - usage_before[name] for name in usage_before},
        "host": facts.static(),
        "before": before,
        "after": after,
        "concurrent": max(concurrent, busy.others()),
    }


def ready(request: Request) -> tuple[runtimes.Session, Callable[[], int]]:
    """Open a model and warm it up.

    Returns:
        The session, and a function that feeds the next input and returns the time of one run in nanoseconds.

    Raises:
        DeviceError: As `latency`.
    """
    session, _, _ = open_timed(request)
    images = inputs.images(Path(request.inputs), session.inputs) if request.inputs else None
    next_set = _noise(session, request) if images is None else inputs.rotate_images(images)
    phase = partial(repeat, session.invoke, prepare=lambda: session.feed(next_set()))
    phase(request.warmup)
    gc.collect()
    gc.disable()
    return session, lambda: phase(Stop(runs=1))[0]


def memory(request: Request) -> dict[str, Any]:
    """Measure the resident memory before a model is opened and at its peak, in bytes.

    Raises:
        DeviceError: The model, its runtime or its delegate cannot be used.
    """
    runtimes.choose(Path(request.artifact), request.runtime).load()
    baseline = facts.memory_of_self("VmRSS")
    session, _, _ = open_timed(request)
    next_set = _noise(session, request)
    repeat(session.invoke, Stop(runs=INPUT_SETS), prepare=lambda: session.feed(next_set()))
    return {"baseline_rss_bytes": baseline, "peak_rss_bytes": facts.memory_of_self("VmHWM")}


def open_timed(request: Request) -> tuple[runtimes.Session, int, int]:
    """Open a model.

    Returns:
        The session, and the nanoseconds to import its runtime and to load it.

    Raises:
        DeviceError: The model, its runtime or its delegate cannot be used.
    """
    path = Path(request.artifact)
    runtime = runtimes.choose(path, request.runtime)
    start = time.perf_counter_ns()
    runtime.load()
    loaded = time.perf_counter_ns()
    session = runtime.open(path, request.threads, request.delegate)
    return session, loaded - start, time.perf_counter_ns() - loaded


def _noise(session: runtimes.Session, request: Request) -> Callable[[], Sequence[NDArray[Any]]]:
    return inputs.rotate(inputs.noise(session.inputs, seed=request.seed, count=INPUT_SETS))


def _sample(samples: list[dict[str, Any]], seconds: float, runs: int, elapsed_ns: int) -> None:
    latest = samples[-1]["at_ns"] if samples else 0
    # Rarely, because reading /proc evicts the model's data from the cache.
    if elapsed_ns - latest >= seconds * 1e9:
        samples.append({"at_ns": elapsed_ns, "runs": runs, **facts.volatile()})


def _usage() -> dict[str, int]:
    usage = {"wall_ns": time.perf_counter_ns(), "cpu_ns": time.process_time_ns()}
    if resource:
        usage["involuntary_switches"] = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
    return usage
