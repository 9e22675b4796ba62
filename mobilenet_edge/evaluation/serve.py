"""The program that runs one classifier on this machine; see `device.batches` for what it reads and writes.

`python -m mobilenet_edge.evaluation.serve`. The first line on stdin is a JSON request (`path`, `format`, `threads`),
the first on stdout the facts, or {"error": {"kind", "message", …}} in the words of `device.faults`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

from mobilenet_edge.device import batches, memory
from mobilenet_edge.device.batches import ModelSession
from mobilenet_edge.device.faults import DeviceError, InvalidModel
from mobilenet_edge.device.runtimes import open_model
from mobilenet_edge.errors import InputError, MnetError


def main() -> int:
    """Answer the request on stdin, then run tensors until stdin closes."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a runtime that prints must not write into the answers
    memory.bound()
    tensors = sys.stdin.buffer
    request = json.loads(tensors.readline())
    path = Path(request["path"])
    try:
        session = _open(path, request["format"], request["threads"])
        facts = batches.describe(session, path.name)
    except (DeviceError, MnetError) as error:
        _reply(answers, {"error": _fault(error)})
        return 0
    _reply(answers, facts)
    batches.serve(session, batches.read(session.inputs[0], tensors), answers)
    return 0


def _open(path: Path, model_format: str, threads: int) -> ModelSession:
    if model_format == "keras":
        from mobilenet_edge.evaluation.reference import KerasSession

        return KerasSession(path, threads)
    return open_model(path, threads=threads)


def _fault(error: DeviceError | MnetError) -> dict[str, Any]:
    if isinstance(error, DeviceError):
        return error.to_dict()
    kind = InvalidModel.kind if isinstance(error, InputError) else DeviceError.kind
    return {"kind": kind, "message": str(error)}


def _reply(answers: BinaryIO, document: dict[str, Any]) -> None:
    answers.write(json.dumps(document).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
