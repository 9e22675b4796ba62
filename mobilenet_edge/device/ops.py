"""The mode "ops": how long each operator of a model takes."""

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

# Enough for a median whose interval means something.
LEAST_ROUNDS: Final = 25
CHAIN: Final = (
    "each operator in a model of its own, given what it is given in the whole and run in the whole's order; "
    "what calling a model takes ({call_us:.1f} us) is taken off; median of {rounds} rounds; "
    "the sum is {share:.0%} of the whole's median, run in turns with them"
)
TRACE: Final = (
    "onnxruntime's profiler, on here and nowhere else; what it takes for itself at a kernel that does nothing "
    "({call_us:.1f} us) is taken off; interpolated median of {rounds} runs in whole microseconds; "
    "the sum is {share:.0%} of the whole's median without the profiler, run in turns with it"
)

Document = dict[str, Any]


def run(request: Request) -> Document:
    """Time each operator of a model.

    Returns:
        runtime, runtime_version; ops; total_ns (median of the whole model in the same process), sum_ns, and how, a
        sentence. An operator has index, name, kind, ns (its median; 0 where it runs on constants alone, when the file
        is opened) and interval_ns (95 % of the median, or None); onnxruntime's also shape (of the output, as it is laid
        out) and activation_bytes.

    Raises:
        DeviceError: The model or its runtime cannot be used, or the model cannot be taken apart.
    """
    if request.delegate is not None:
        raise RequestError("a delegate runs its operators as one, whose parts nobody can time; leave out the delegate")
    path = Path(request.artifact)
    runtime = runtimes.choose(path, request.runtime)
    wanted = request.steady
    stop = Stop(max(wanted.runs, LEAST_ROUNDS), wanted.seconds, wanted.cap_seconds)
    # A collection in the middle of a run would be timed as an operator's.
    gc.disable()
    return (_chain if runtime.format == "tflite" else _trace)(runtime, path, request, stop)


def _chain(runtime: runtimes.Runtime, path: Path, request: Request, stop: Stop) -> Document:
    try:
        cut = pieces.cut(path.read_bytes())
    except OSError as error:
        raise InvalidModel(f"{path.name} cannot be read: {error.strerror}") from error
    linked = chain.join(runtime, path, cut, threads=request.threads, seed=request.seed)
    chain.measure(linked, request.warmup)
    times = chain.measure(linked, stop)
    call = Median.of(times.idle).value
    medians = {piece.index: Median.of(each) - call for piece, each in zip(cut.pieces, times.links)}
    # An operator on constants alone runs when the file is opened, and never again.
    ops = [
        _op(index, each.name, each.kind, medians.get(index, Median(0.0, None)))
        for index, each in enumerate(cut.operators)
    ]
    return _document(linked.whole.session, ops, times.whole, CHAIN, call_us=call / 1e3)


def _trace(runtime: runtimes.Runtime, path: Path, request: Request, stop: Stop) -> Document:
    traced = kernels.measure(runtime, path, request.warmup, stop, threads=request.threads, seed=request.seed)
    own = _kernel(traced.idle).value
    ops = [
        {
            **_op(index, each.name, each.kind, _kernel(each) - own),
            "shape": list(each.shape),
            "activation_bytes": each.activation_bytes,
        }
        for index, each in enumerate(traced.kernels)
    ]
    return _document(traced.whole, ops, traced.times_ns, TRACE, call_us=own / 1e3)


def _kernel(kernel: kernels.Kernel) -> Median:
    return Median.of([time * 1000 for time in kernel.times_us], resolution=1000)


def _op(index: int, name: str, kind: str, median: Median) -> Document:
    bounds = median.interval and [round(bound) for bound in median.interval]
    return {"index": index, "name": name, "kind": kind, "ns": round(median.value), "interval_ns": bounds}


def _document(session: runtimes.Session, ops: list[Document], whole: list[int], how: str, **facts: float) -> Document:
    total, parts = Median.of(whole).value, sum(each["ns"] for each in ops)
    return {
        "runtime": session.runtime,
        "runtime_version": session.version,
        "ops": ops,
        "total_ns": round(total),
        "sum_ns": parts,
        "how": how.format(rounds=len(whole), share=parts / total, **facts),
    }
