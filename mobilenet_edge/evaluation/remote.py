"""A model on another machine: pictures are prepared here, tensors are sent."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.device.runtimes import AUTO
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.hosts import Host

# Of one request: what is sent again after an interruption, and what a small device has to keep in memory.
REQUEST_BYTES: Final = 32 << 20
# Opening a model on the slowest device, and one inference of the largest model on it.
OPEN_SECONDS: Final = 120.0
RUN_SECONDS: Final = 5.0


class Run(NamedTuple):
    """One inference: `outputs` (flat, of the model's own type), its `time_ns`, and the document that it came in."""

    outputs: NDArray[Any]
    time_ns: int
    document: Mapping[str, Any]

    @property
    def grid(self) -> tuple[float, int] | None:
        """Scale and zero point of an integer output, None where the runtime has none."""
        output = self.document["output"]
        return (output["scale"], output["zero_point"] or 0) if output["scale"] else None


@dataclass(frozen=True)
class RemoteModel:
    """A model file that a machine runs.

    Attributes:
        artifact: The file, .tflite or .onnx.
        host: The machine.
        threads: Threads within one inference.
        delegate: {"path", "options"} on the machine, None for none.
        runtime: Runtime there, "auto" for the best that is installed.
    """

    artifact: Artifact
    host: Host
    threads: int = 1
    delegate: Mapping[str, Any] | None = None
    runtime: str = AUTO

    def run(self, tensors: Sequence[NDArray[Any]]) -> Iterator[Run]:
        """Run the model on tensors of its input's shape and type, in as few requests as memory allows.

        Raises:
            MnetError: As `Host.run` says.
        """
        size = max(1, REQUEST_BYTES // max(1, tensors[0].nbytes)) if tensors else 1
        for start in range(0, len(tensors), size):
            yield from self._request(np.stack(tensors[start : start + size]))

    def _request(self, stack: NDArray[Any]) -> Iterator[Run]:
        request = {"mode": "outputs", "threads": self.threads, "runtime": self.runtime}
        if self.delegate is not None:
            request["delegate"] = self.delegate
        with tempfile.TemporaryDirectory(prefix="mnet-") as folder:
            inputs = Path(folder, "tensors.npy")
            np.save(inputs, stack, allow_pickle=False)
            files = {"artifact": self.artifact.path, "inputs": inputs}
            limit = OPEN_SECONDS + RUN_SECONDS * (len(stack) + 1)
            document = self.host.run(request, files, limit_seconds=limit)
        dtype = np.dtype(document["output"]["dtype"])
        for values, time_ns in zip(document["values"], document["times_ns"], strict=True):
            yield Run(np.array(values, dtype), time_ns, document)
