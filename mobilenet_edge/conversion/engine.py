"""The quantiser's two passes in onnxruntime: the float graph with taps on every tensor, and integer layers one by one.

Every run has one thread and its batch is fixed by the caller, so results do not depend on how many run at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.formats.onnx.writer import FloatWriter
from mobilenet_edge.graph import Array, Graph, Node, run
from mobilenet_edge.graph.threads import workers
from mobilenet_edge.quantise import QuantParams
from mobilenet_edge.quantise.backend import REFERENCE, Engine, Layer
from mobilenet_edge.quantise.observe import Observation
from mobilenet_edge.quantise.places import Places, channels_major
from mobilenet_edge.quantise.stats import ChannelStats, front_of

# Images whose float outputs are numpy's own.
EXACT: Final = 16


def choose() -> Engine:
    """Take onnxruntime where it is installed, else numpy."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError:
        return REFERENCE
    return OrtEngine()


def outputs(graph: Graph, images: Array, names: Sequence[str]) -> list[Array]:
    """Run the float graph on images (n, h, w, c); return the named tensors, (n, ...) each.

    numpy computes the first `EXACT` images, which every float file is held to, and onnxruntime, if it is there, the
    others, for which a few millionths do not matter.
    """
    exact = run.outputs(graph, images[:EXACT], names)
    if len(images) <= EXACT or choose() is REFERENCE:
        return exact if len(images) <= EXACT else run.outputs(graph, images, names)
    session = _session(_BatchWriter(graph, names).write())

    def compute(image: Array) -> list[Array]:
        results = session.run(None, {graph.input: _first(image[None])})
        return [_as_in_graph(result, graph.shape(name)) for name, result in zip(names, results, strict=True)]

    with workers() as pool:
        rest = list(pool.map(compute, images[EXACT:]))
    return [np.concatenate(parts) for parts in zip(exact, *rest, strict=True)]


class OrtEngine:
    """Computes in onnxruntime; what it gives differs from numpy by the rounding of sums."""

    def collect(self, graph: Graph, images: Array, names: Collection[str]) -> dict[str, ChannelStats]:
        """Collect statistics."""
        writer = _StatsWriter(front_of(graph, names), names)
        session = _session(writer.write())

        def collect(part: Array) -> dict[str, ChannelStats]:
            results = dict(zip(writer.taps, session.run(None, {graph.input: _first(part)}), strict=True))
            return {name: _stats(name, results) for name in names}

        with workers() as pool:
            parts = list(pool.map(collect, np.array_split(images, -(-len(images) // run.TOGETHER))))
        return {name: ChannelStats.join([part[name] for part in parts]) for name in names}

    def observe(self, graph: Graph, batches: Sequence[Array], places: Mapping[str, Places]) -> dict[str, Observation]:
        """Run the float graph."""
        tapped = _TappedWriter(graph, places)
        session = _session(tapped.write())

        def tap(images: Array) -> dict[str, Observation]:
            results = dict(zip(tapped.taps, session.run(None, {graph.input: _first(images)}), strict=True))
            return {node.name: _observation(node, results, places.get(node.name)) for node in graph.nodes}

        with workers() as pool:
            observed = list(pool.map(tap, batches))
        return {node.name: Observation.join([part[node.name] for part in observed]) for node in graph.nodes}

    def layer(self, node: Node, sources: Sequence[QuantParams], target: QuantParams) -> Layer:
        """Prepare a node; small ones are left to numpy."""
        if node.op not in ("conv", "depthwise") or len(node.shape) != 3:
            return REFERENCE.layer(node, sources, target)
        session = _session(_LayerWriter(node, sources[0], target).write())
        name = session.get_inputs()[0].name

        def compute(inputs: list[NDArray[np.int8]]) -> NDArray[np.int8]:
            (result,) = session.run(None, {name: _first(inputs[0])})
            return _last(result)

        return compute


class _BatchWriter(FloatWriter):
    """Writes a model of a batch of any size and of any tensors as its outputs."""

    def __init__(self, graph: Graph, taps: Sequence[str] = ()) -> None:
        super().__init__(graph)
        self.taps = list(taps)

    def write(self) -> bytes:
        """Return the model; its outputs are `taps`."""
        model = self.onnx.load_from_string(super().write())
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "n"
        del model.graph.output[:]
        kind = self.onnx.TensorProto.FLOAT
        model.graph.output.extend(self.onnx.helper.make_tensor_value_info(name, kind, None) for name in self.taps)
        return bytes(model.SerializeToString())

    def tap(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        """Add an operator whose output is one of the model's."""
        self.add(kind, inputs, output, **attributes)
        self.taps.append(output)


class _StatsWriter(_BatchWriter):
    """Adds outputs: of each channel on each image the extremes, the mean and the mean square."""

    def __init__(self, graph: Graph, names: Collection[str]) -> None:
        super().__init__(graph)
        self.names = names

    def make(self, node: Node, inputs: list[str]) -> None:
        """Add a node and its statistics."""
        super().make(node, inputs)
        if node.name in self.names:
            self.add("Neg", [node.name], f"{node.name}/negative")
            self.add("Mul", [node.name, node.name], f"{node.name}/squares")
            self.tap("GlobalMaxPool", [node.name], f"{node.name}/high")
            self.tap("GlobalMaxPool", [f"{node.name}/negative"], f"{node.name}/low")
            self.tap("GlobalAveragePool", [node.name], f"{node.name}/mean")
            self.tap("GlobalAveragePool", [f"{node.name}/squares"], f"{node.name}/square")


class _TappedWriter(_BatchWriter):
    """Adds outputs: the extremes of each tensor before its activation, and its pixels at some places.

    Pools are used, since onnxruntime's own layout has them: other operators would convert whole tensors.
    """

    def __init__(self, graph: Graph, places: Mapping[str, Places]) -> None:
        super().__init__(graph)
        self.places = places

    def make(self, node: Node, inputs: list[str]) -> None:
        """Add a node and its taps."""
        super().make(node, inputs)
        linear = node.name if node.activation == "linear" else f"{node.name}/linear"
        if len(node.shape) != 3:
            self.tap("Identity", [linear], f"{node.name}/values")
            return
        self.tap("GlobalMaxPool", [linear], f"{node.name}/high")
        if node.activation == "linear":
            self.add("Neg", [linear], f"{node.name}/negative")
            self.tap("GlobalMaxPool", [f"{node.name}/negative"], f"{node.name}/low")
        if node.name in self.places:
            steps = self.places[node.name].steps
            self.tap("MaxPool", [linear], f"{node.name}/pixels", kernel_shape=[1, 1], strides=steps)


class _LayerWriter(FloatWriter):
    """Writes one node between integers: computed in float, as the integers are exact there."""

    def __init__(self, node: Node, source: QuantParams, target: QuantParams) -> None:
        channels = node.kernel.shape[-1 if node.op == "depthwise" else -2]
        super().__init__(Graph(node.name, node.inputs[0], (1, 1, channels), (node,)))
        self.params = {"source": source, "target": target}

    @property
    def io(self) -> str:
        return "int8"

    @property
    def output_name(self) -> str:
        return f"{self.graph.output.name}/quantised"

    def enter(self) -> str:
        self.add("DequantizeLinear", [self.graph.input, *self._parameters("source")], f"{self.graph.input}/float")
        return self.graph.input

    def read(self, name: str) -> str:
        return f"{name}/float"

    def make(self, node: Node, inputs: list[str]) -> None:
        super().make(node, inputs)
        self.add("QuantizeLinear", [node.name, *self._parameters("target")], self.output_name)

    def _value(self, name: str, shape: tuple[int, ...]) -> Any:
        return self.onnx.helper.make_tensor_value_info(name, self.onnx.TensorProto.INT8, ("n", shape[1], None, None))

    def _parameters(self, end: str) -> list[str]:
        params = self.params[end]
        scale = self.constant(f"{end}/scale", np.array(params.scale, np.float32))
        return [scale, self.constant(f"{end}/zero", np.array(params.zero_point, np.int8))]


def _stats(name: str, results: Mapping[str, Array]) -> ChannelStats:
    ends = ("low", "high", "mean", "square")
    low, high, mean, square = (results[f"{name}/{end}"].reshape(-1, results[f"{name}/{end}"].shape[1]) for end in ends)
    variance = square.mean(axis=0) - mean.mean(axis=0) ** 2
    return ChannelStats(-low, high, np.sqrt(np.maximum(variance, 0)))


def _as_in_graph(values: Array, shape: tuple[int, ...]) -> Array:
    """Bring a result (n, c, h, w) or (n, c) into the layout of the graph; a vector may stand as a map of one pixel."""
    return _last(values) if len(shape) == 3 else values.reshape(-1, *shape)


def _observation(node: Node, results: Mapping[str, Array], places: Places | None) -> Observation:
    if len(node.shape) != 3:
        return Observation.of(_as_in_graph(results[f"{node.name}/values"], node.shape), places)
    pixels = _pixels(results[f"{node.name}/pixels"], places) if places else np.empty((0, 0), np.float32)
    high = results[f"{node.name}/high"].max()
    low = -results[f"{node.name}/low"].max() if node.activation == "linear" else min(high, pixels.min(initial=0))
    return Observation(float(low), float(high), (pixels,) if places else ())


def _pixels(pattern: Array, places: Places) -> Array:
    """Leave out the first row and column where the pattern has steps."""
    rows, columns = (slice(int(step > 1), None) for step in places.steps)
    return channels_major(_last(pattern[:, :, rows, columns]))


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Else float weights between integers are rounded to int8 as well.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _first(values: NDArray[Any]) -> NDArray[Any]:
    """Move channels first; what came from `_last` is contiguous again without a copy."""
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def _last(values: NDArray[Any]) -> NDArray[Any]:
    """Move channels last, as a view."""
    return values.transpose(0, 2, 3, 1)
