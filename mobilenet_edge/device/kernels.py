"""Time each kernel of an .onnx model with the profiler of its runtime.

The profiler's own overhead (a few µs per kernel) is part of its figures; an empty model is profiled as well and
subtracted.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mobilenet_edge.device import gemm_onnx, inputs
from mobilenet_edge.device.runtimes import NodeRun, Runtime, Session, TracedSession
from mobilenet_edge.device.timing import Stop

# The first run of a round brings the weights into the cache; only the second counts.
_RUNS_PER_ROUND: Final = 2
# The last of several chained idle kernels is as warm as a kernel in the middle of a model.
_IDLE_COUNT: Final = 4


@dataclass(frozen=True)
class Kernel:
    """A node of the graph after the runtime's fusions.

    Attributes:
        name: Node name; often shows which nodes were fused into it.
        kind: Op type, such as Conv or QLinearConv.
        shape: Shape of the first output in the runtime's layout; empty if not reported.
        activation_bytes: Size of inputs and outputs, without constants; None if not reported.
        times_us: Time of each round, rounded down to whole microseconds.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    activation_bytes: int | None
    times_us: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Trace:
    """The times of a model and its kernels.

    Attributes:
        whole: Session of the model without the profiler.
        times_ns: Time of one run per round in that session.
        kernels: The kernels of the model, in execution order.
        idle: A kernel that does nothing, whose time is the profiler's overhead; None if the runtime leaves it out.
    """

    whole: Session
    times_ns: list[int]
    kernels: tuple[Kernel, ...]
    idle: Kernel | None


def measure(
    runtime: Runtime,
    path: Path,
    warmup: Stop,
    steady: Stop,
    *,
    threads: int,
    seed: int,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> Trace:
    """Run a model with and without the profiler in turns.

    Args:
        runtime: A runtime whose adapter has `open_traced`.
        path: The .onnx file.
        warmup: End of the rounds that do not count.
        steady: End of the rounds that count.
        threads: Threads within one inference.
        seed: Seed of the inputs.
        clock: Monotonic time in ns.

    Raises:
        InvalidModel: The model cannot be opened or run.
    """
    whole = runtime.open(path, threads)
    with tempfile.TemporaryDirectory(prefix="mnet-") as folder:
        empty = Path(folder) / "idle.onnx"
        empty.write_bytes(gemm_onnx.write_idle(_IDLE_COUNT))
        open_traced: Callable[..., TracedSession] = runtime.adapter().open_traced
        traced, idle = (
            open_traced(runtime, model, threads, Path(folder) / name)
            for model, name in ((path, "whole"), (empty, "idle"))
        )
        for session in (whole, traced, idle):
            session.feed(inputs.noise(session.inputs, seed=seed, count=1)[0])
        _time_rounds(whole, (idle, traced), warmup, clock)
        times = _time_rounds(whole, (idle, traced), steady, clock)
        idle_kernels, model_kernels = (collect(session.end_trace(), len(times)) for session in (idle, traced))
    return Trace(whole, times, model_kernels, idle_kernels[-1] if idle_kernels else None)


def _time_rounds(whole: Session, traced: Sequence[TracedSession], stop: Stop, clock: Callable[[], int]) -> list[int]:
    times: list[int] = []
    began = clock()
    while not (times and stop.reached(len(times), clock() - began)):
        # Each session runs twice, because the weights of the other sessions evict its own from the cache.
        for session in traced:
            for _ in range(_RUNS_PER_ROUND):
                session.invoke()
        whole.invoke()
        start = clock()
        whole.invoke()
        times.append(clock() - start)
    return times


def collect(runs: Iterable[NodeRun], rounds: int) -> tuple[Kernel, ...]:
    """Collect the kernels of a trace in execution order, with their times in the last `rounds`."""
    kernels: dict[str, Kernel] = {}
    for run in runs:
        if run.key not in kernels:
            kernels[run.key] = Kernel(run.name, run.kind, run.shape, run.activation_bytes)
        kernels[run.key].times_us.append(run.us)
    for kernel in kernels.values():
        kernel.times_us[:] = kernel.times_us[1::_RUNS_PER_ROUND][-rounds:]
    return tuple(kernels.values())
