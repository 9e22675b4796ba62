"""Time each operator of a model (the mode "ops")."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mobilenet_edge.device import chain, kernels, pieces, runtimes
from mobilenet_edge.device.faults import InvalidModel, RequestError
from mobilenet_edge.device.median import Median
from mobilenet_edge.device.timing import Stop

if TYPE_CHECKING:
    from mobilenet_edge.device.worker import Request

# Enough for a meaningful interval of the median.
MIN_ROUNDS: Final = 25
CHAIN: Final = (
    "each operator run as a separate model, with its inputs and in its order in the whole model; "
    "overhead of a call ({overhead_us:.1f} us) subtracted; median of {rounds} rounds; "
    "the sum is {share:.0%} of the median of the whole model, timed in the same rounds"
)
TRACE: Final = (
    "{title}'s profiler, used only for this table; {overhead}; interpolated median of {rounds} runs in whole "
    "microseconds; "
    "the sum is {share:.0%} of the median of the whole model without the profiler, timed in the same rounds"
)

Document = dict[str, Any]


def run(request: Request) -> Document:
    """Time each operator of a model.

    Returns:
        runtime, runtime_version; ops; total_ns (median of the whole model in the same process), sum_ns, and how (the
        method, in words). Each operator has index, name, kind, ns (its median; 0 if all its inputs are constants, so
        that it runs only when the file is opened) and interval_ns (95 % interval of the median, or None); those of
        onnxruntime also have shape (of the output, in its layout) and activation_bytes.

    Raises:
        DeviceError: The model or its runtime cannot be used, or the model cannot be cut into operators.
    """
    if request.delegate is not None:
        raise RequestError(
            "a delegate runs its operators as one unit, so they cannot be timed one by one; leave out the delegate"
        )
    path = Path(request.artifact)
    runtime = runtimes.choose(path, request.runtime)
    wanted = request.steady
    stop = Stop(max(wanted.runs, MIN_ROUNDS), wanted.seconds, wanted.cap_seconds)
    # A garbage collection during a run would count as an operator's time.
    gc.disable()
    if hasattr(runtime.adapter(), "open_traced"):
        return _profile_kernels(runtime, path, request, stop)
    if runtime.format == "tflite":
        return _time_pieces(runtime, path, request, stop)
    raise RequestError(f"{runtime.title} does not time single operators; leave out --ops, or take another runtime")


def _time_pieces(runtime: runtimes.Runtime, path: Path, request: Request, stop: Stop) -> Document:
    try:
        cut = pieces.cut(path.read_bytes())
    except OSError as error:
        raise InvalidModel(f"{path.name} cannot be read: {error.strerror}") from error
    model = chain.open_chain(runtime, path, cut, threads=request.threads, seed=request.seed)
    chain.measure(model, request.warmup)
    times = chain.measure(model, stop)
    overhead = Median.of(times.idle).value
    medians = {piece.index: Median.of(samples) - overhead for piece, samples in zip(cut.pieces, times.links)}
    # An operator on constants alone has no piece: it runs only when the file is opened.
    ops = [
        _op(index, operator.name, operator.kind, medians.get(index, Median(0.0, None)))
        for index, operator in enumerate(cut.operators)
    ]
    return _document(model.whole.session, ops, times.whole, CHAIN, overhead_us=overhead / 1e3)


def _profile_kernels(runtime: runtimes.Runtime, path: Path, request: Request, stop: Stop) -> Document:
    trace = kernels.measure(runtime, path, request.warmup, stop, threads=request.threads, seed=request.seed)
    overhead = 0.0 if trace.idle is None else _kernel_median(trace.idle).value
    ops = [
        {
            **_op(index, kernel.name, kernel.kind, _kernel_median(kernel) - overhead),
            "shape": list(kernel.shape),
            "activation_bytes": kernel.activation_bytes,
        }
        for index, kernel in enumerate(trace.kernels)
    ]
    subtracted = f"overhead per kernel ({overhead / 1e3:.1f} us, that of an empty kernel) subtracted"
    words = "its overhead is unknown and included" if trace.idle is None else subtracted
    return _document(trace.whole, ops, trace.times_ns, TRACE, overhead=words, title=runtime.title)


def _kernel_median(kernel: kernels.Kernel) -> Median:
    return Median.of([time * 1000 for time in kernel.times_us], resolution=1000)


def _op(index: int, name: str, kind: str, median: Median) -> Document:
    bounds = median.interval and [round(bound) for bound in median.interval]
    return {"index": index, "name": name, "kind": kind, "ns": round(median.value), "interval_ns": bounds}


def _document(
    session: runtimes.Session, ops: list[Document], whole: list[int], how: str, **facts: float | str
) -> Document:
    total, parts = Median.of(whole).value, sum(op["ns"] for op in ops)
    return {
        "runtime": session.runtime,
        "runtime_version": session.version,
        "ops": ops,
        "total_ns": round(total),
        "sum_ns": parts,
        "how": how.format(rounds=len(whole), share=parts / total, **facts),
    }
