"""Compute a model's outputs for given inputs (the mode "outputs")."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilenet_edge.device import inputs, runtimes
from mobilenet_edge.device.faults import InvalidModel, RequestError

if TYPE_CHECKING:
    from mobilenet_edge.device.worker import Request


def run(request: Request) -> dict[str, Any]:
    """Run a model once on each input, after a run that does not count.

    Returns:
        runtime, runtime_version; output (name, shape, dtype, scale and zero_point of the tensor); values (a flat list
        for each input, on the output's own grid) and times_ns (of each, with copying input and output).

    Raises:
        DeviceError: The model, its runtime or delegate, or the file of inputs cannot be used.
    """
    if request.inputs is None:
        raise RequestError("mode 'outputs' needs inputs; give the path of an .npy file")
    session = runtimes.open_model(
        Path(request.artifact), threads=request.threads, runtime=request.runtime, delegate=request.delegate
    )
    if len(session.outputs) != 1:
        raise InvalidModel(f"the model has {len(session.outputs)} outputs; only one list of scores can be read")
    stack = inputs.images(Path(request.inputs), session.inputs)
    session.run([stack[0]])
    values, times_ns = [], []
    for image in stack:
        start = time.perf_counter_ns()
        (scores,) = session.run([image])
        times_ns.append(time.perf_counter_ns() - start)
        values.append(scores.reshape(-1).tolist())
    (output,) = session.outputs
    return {
        "runtime": session.runtime,
        "runtime_version": session.version,
        "output": {
            "name": output.name,
            "shape": list(scores.shape),
            "dtype": scores.dtype.name,
            "scale": output.scale,
            "zero_point": output.zero_point,
        },
        "values": values,
        "times_ns": times_ns,
    }
