"""The program that runs one classifier: batches of tensors on stdin, scores on stdout, until stdin closes.

`python -m mobilenet_edge.evaluation.serve`. The first line on stdin is a JSON request (`path`, `format`, `threads`),
the first on stdout the answer: `Facts` as JSON, or {"error": {"kind", "message", …}} in the words of `device.faults`.
From then on each batch read, the number of its tensors as `COUNT` and their bare bytes in the shape and type of the
input, is answered by the bytes of all their scores.
"""

from __future__ import annotations

import json
import math
import os
import struct
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.device import memory
from mobilenet_edge.device.faults import DeviceError, InvalidModel
from mobilenet_edge.device.runtimes import TensorInfo, open_model
from mobilenet_edge.errors import InputError, MnetError
from mobilenet_edge.evaluation.tensors import ImageInput

# Number of tensors of a batch.
COUNT: Final = struct.Struct("<I")


@dataclass(frozen=True)
class Facts:
    """An open model: what runs it, what it takes, and its output for one image.

    Attributes:
        runtime: What runs it.
        version: Its version.
        input: What it takes.
        dtype: Element type of the output.
        shape: Of the output, batch included.
        scale: Of an integer output, real = (integer - zero_point) * scale; None where the runtime does not know.
        zero_point: Likewise.
    """

    runtime: str
    version: str
    input: ImageInput
    dtype: str
    shape: tuple[int, ...]
    scale: float | None = None
    zero_point: int | None = None


class ModelSession(Protocol):
    """What is asked of a `device.runtimes.ModelSession`."""

    @property
    def runtime(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def inputs(self) -> tuple[TensorInfo, ...]: ...
    @property
    def outputs(self) -> tuple[TensorInfo, ...]: ...
    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]: ...


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
        facts = describe(session, path.name)
    except (DeviceError, MnetError) as error:
        _reply(answers, _line({"error": _fault(error)}))
        return 0
    _reply(answers, _line(asdict(facts)))
    serve(session, tensors, answers)
    return 0


def describe(session: ModelSession, model: str) -> Facts:
    """Run the model once on zeros and say what it takes and gives; `model` names it in messages.

    Raises:
        InputError: It takes no single image.
        InvalidModel: It has several inputs or outputs, or its output is not of one image.
    """
    if len(session.inputs) != 1 or len(session.outputs) != 1:
        raise InvalidModel(
            f"{model} has {len(session.inputs)} inputs and {len(session.outputs)} outputs; "
            "only one image in and one list of scores out can be evaluated"
        )
    (tensor,) = session.inputs
    image = ImageInput(model, tensor.shape, tensor.dtype, tensor.scale, tensor.zero_point)
    (scores,) = session.run([np.zeros(tensor.shape, tensor.dtype)])
    if not scores.size or (scores.ndim > 1 and scores.shape[0] != 1 and scores.size != max(scores.shape)):
        raise InvalidModel(f"{model} returns {scores.shape} for one image; export it with batch 1")
    grid = (session.outputs[0].scale, session.outputs[0].zero_point)
    return Facts(session.runtime, session.version, image, scores.dtype.name, scores.shape, *grid)


def serve(session: ModelSession, tensors: BinaryIO, answers: BinaryIO) -> None:
    """Answer each batch of tensors by the bytes of their scores.

    All of a batch is read before any of it is answered: two ends that both write into full pipes would wait for ever.
    """
    (tensor,) = session.inputs
    length = math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize
    while len(head := tensors.read(COUNT.size)) == COUNT.size:
        (count,) = COUNT.unpack(head)
        read = tensors.read(count * length)
        if len(read) < count * length:
            return
        batch = np.frombuffer(read, tensor.dtype).reshape(count, *tensor.shape)
        _reply(answers, b"".join(session.run([each])[0].tobytes() for each in batch))


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


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"


def _reply(answers: BinaryIO, data: bytes) -> None:
    answers.write(data)
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
