"""Open an ONNX model in memory with onnxruntime."""

from __future__ import annotations

from typing import Any

from mobilenet_edge.device.faults import DeviceError
from mobilenet_edge.device.runtimes import RUNTIMES
from mobilenet_edge.errors import MissingExtraError


def open_session(model: bytes) -> Any:
    """Open a model in an `onnxruntime.InferenceSession` of one thread, which several threads may run at once.

    Raises:
        MissingExtraError: onnxruntime is not installed.
    """
    try:
        package = RUNTIMES["onnxruntime"].load()
    except DeviceError as error:
        raise MissingExtraError(f"onnxruntime computes this, but {error}", "build") from error
    options = package.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return package.InferenceSession(model, options, providers=["CPUExecutionProvider"])
