"""What onnxruntime's profiler says of an .onnx model: the time of each kernel.

The profiler's own overhead (a few µs per kernel) is part of its figures; an empty model is profiled as well and
subtracted.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mobilenet_edge.device import gemm_onnx, inputs
from mobilenet_edge.device.runtimes import Runtime, Session, ort
from mobilenet_edge.device.timing import Stop

_KERNEL: Final = "_kernel_time"
# Of the two runs of a round the second is kept.
_RUNS: Final = 2
# So many idle kernels in succession: the last is as warm as any in the middle of a model.
_IDLE: Final = 4


@dataclass(frozen=True)
class Kernel:
    """A node of the graph as onnxruntime runs it, after it fused what it could.

    Attributes:
        name: Node name; often shows which nodes were fused into it.
        kind: Such as Conv or QLinearConv.
        shape: Of the first output, as onnxruntime lays it out; empty where it does not say.
        activation_bytes: Of inputs and outputs, without constants.
        times_us: Of each round, rounded down to whole microseconds.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    activation_bytes: int
    times_us: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Trace:
    """What was measured.

    Attributes:
        whole: A session without the profiler.
        times_ns: Of the whole model in that session, one number a round.
        kernels: In order of execution.
        idle: A kernel that does nothing: what the profiler takes for itself.
    """

    whole: Session
    times_ns: list[int]
    kernels: tuple[Kernel, ...]
    idle: Kernel


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
    """Run a model with and without the profiler, in turns: until `warmup` is reached, then for what is kept.

    Raises:
        InvalidModel: The model cannot be opened or run.
    """
    whole = runtime.open(path, threads)
    with tempfile.TemporaryDirectory(prefix="mnet-") as folder:
        nothing = Path(folder) / "idle.onnx"
        nothing.write_bytes(gemm_onnx.write_idle(_IDLE))
        traced, idle = (
            ort.open_session(runtime, each, threads, trace=Path(folder) / name)
            for each, name in ((path, "whole"), (nothing, "idle"))
        )
        for session in (whole, traced, idle):
            session.feed(inputs.noise(session.inputs, seed=seed, count=1)[0])
        _take_turns(whole, (idle, traced), warmup, clock)
        times = _take_turns(whole, (idle, traced), steady, clock)
        of_idle, of_whole = (collect(_events(session), len(times)) for session in (idle, traced))
    return Trace(whole, times, of_whole, of_idle[-1])


def _take_turns(whole: Session, traced: Sequence[Session], stop: Stop, clock: Callable[[], int]) -> list[int]:
    times: list[int] = []
    began = clock()
    while not (times and stop.reached(len(times), clock() - began)):
        # Each has weights of its own, which push those of the others out of the caches: each runs twice.
        for session in traced:
            for _ in range(_RUNS):
                session.invoke()
        whole.invoke()
        start = clock()
        whole.invoke()
        times.append(clock() - start)
    return times


def _events(session: ort.OrtSession) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(session.end_trace().read_text(encoding="utf-8"))
    return found


def collect(events: list[dict[str, Any]], rounds: int) -> tuple[Kernel, ...]:
    """Collect what the profiler wrote of each node in the last `rounds`, in order of execution."""
    found: dict[tuple[str, str], Kernel] = {}
    for event in events:
        if event.get("cat") != "Node" or not event["name"].endswith(_KERNEL):
            continue
        about = event["args"]
        key = (event["name"], about.get("node_index", ""))
        if key not in found:
            # [{"float": [1, 16, 64, 64]}]
            shapes = [tuple(shape) for each in about.get("output_type_shape", []) for shape in each.values()]
            moved = sum(int(about.get(name, 0)) for name in ("activation_size", "output_size"))
            name = event["name"][: -len(_KERNEL)]
            found[key] = Kernel(name, about["op_name"], shapes[0] if shapes else (), moved)
        found[key].times_us.append(int(event["dur"]))
    for each in found.values():
        each.times_us[:] = each.times_us[1::_RUNS][-rounds:]
    return tuple(found.values())
