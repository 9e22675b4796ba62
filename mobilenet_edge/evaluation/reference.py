"""A Keras file behind the interface of a runtime, computed from its folded graph: TensorFlow is not needed."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge import __version__
from mobilenet_edge.device.faults import DeviceError
from mobilenet_edge.device.runtimes import TensorInfo, open_model
from mobilenet_edge.errors import MissingExtraError
from mobilenet_edge.graph import Graph
from mobilenet_edge.graph.run import run
from mobilenet_edge.model.read import read


class KerasSession:
    """The float model: it takes what the model itself takes, in front of the layers that became its rule.

    onnxruntime computes it where it is installed, with the package that writes its files; numpy where not.
    """

    runtime = "keras"

    def __init__(self, path: Path, threads: int) -> None:
        model = read(path)
        self._rule, self._graph = model.rule, model.graph
        self._session = _compiled(model.graph, threads)
        self.version: str = f"graph of mobilenet-edge {__version__}"
        self.inputs = (TensorInfo(model.graph.input, (1, *model.graph.input_shape), "float32"),)
        self.outputs = (TensorInfo(model.graph.output.name, (1, *model.graph.output.shape), "float32"),)

    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the outputs for one image, (1, h, w, c)."""
        image = self._rule.apply(inputs[0])
        if self._session is None:
            return [run(self._graph, image)]
        # The file is channels first.
        (output,) = self._session.run([np.ascontiguousarray(image.transpose(0, 3, 1, 2))])
        return [output.transpose(0, 2, 3, 1) if output.ndim == 4 else output]


def _compiled(graph: Graph, threads: int) -> Any:
    """Open the graph in onnxruntime; None where that or its writer is not installed."""
    try:
        from mobilenet_edge.formats.onnx.write import float_onnx

        data = float_onnx(graph)
        with tempfile.TemporaryDirectory(prefix="mnet-") as folder:
            path = Path(folder, "model.onnx")
            path.write_bytes(data)
            return open_model(path, threads=threads)
    except (MissingExtraError, ImportError, DeviceError):
        return None
