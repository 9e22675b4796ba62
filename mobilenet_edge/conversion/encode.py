"""Write one file from the graph or its integers, and check what was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, NamedTuple

from mobilenet_edge import __version__
from mobilenet_edge.conversion import rule as rules
from mobilenet_edge.conversion import target as targets
from mobilenet_edge.conversion import verify
from mobilenet_edge.conversion.samples import Samples
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import MissingExtraError
from mobilenet_edge.evaluation import head as heads
from mobilenet_edge.formats.metadata import Metadata, Quantisation
from mobilenet_edge.formats.onnx import write as onnx
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Array, Graph
from mobilenet_edge.quantise import QuantisedGraph, QuantParams, weights
from mobilenet_edge.records.record import CALIBRATED

# Whose version decides on a file's bytes, beside our own.
TOOLS: Final = {"tflite": "ai-edge-litert", "onnx": "onnx"}
# Empty where there is nothing to say.
SCHEMES: Final = {
    "float32": "",
    "float16": "float16 weights; float32 biases and activations",
    "dynamic": f"int8 weights per output channel, symmetric, to nearest; float16 weights of outputs with {weights.FEW} "
    "weights or fewer; float32 biases and activations",
    **dict.fromkeys(CALIBRATED, "int8 weights per output channel, symmetric; 8-bit activations per tensor"),
}
# Beside the scheme of a target that asks for it.
PAIRS: Final = "; sums of two products within 16 bits"
WRITERS: Final[Mapping[str, Mapping[str, Callable[..., bytes]]]] = {
    "float32": {"tflite": tflite.float_tflite, "onnx": onnx.float_onnx},
    "float16": {"tflite": tflite.float16_tflite, "onnx": onnx.float16_onnx},
    "dynamic": {"tflite": tflite.dynamic_tflite, "onnx": onnx.dynamic_onnx},
    "int8": {"tflite": tflite.int8_tflite, "onnx": onnx.int8_onnx},
}


class Made(NamedTuple):
    """A file that passed its check.

    Attributes:
        about: Its metadata.
        data: Its content, without them.
        outputs: Of an int8 file: what it gave in the check, real (n, ...).
    """

    about: Metadata
    data: bytes
    outputs: Array | None = None


def small(graph: Graph, rounded: tuple[Any, ...], kind: str, about: Metadata, reference: verify.Reference) -> Made:
    """Write and check a file whose activations are float; `rounded` is what its writer takes beside the graph."""
    write = WRITERS[about.precision][kind]
    data = write(graph, *rounded)
    if about.precision == "float32":
        return Made(replace(about, agreement=verify.float_file(kind, data, reference)), data)
    probe = write(graph.cut_at_logits(), *rounded)
    return Made(replace(about, agreement=verify.small_file(kind, about.precision, data, probe, reference)), data)


def integer(
    quantised: QuantisedGraph, kind: str, io: str, about: Metadata, reference: verify.Reference, compact: bool
) -> Made:
    """Write and check an int8 file."""
    graph, write = quantised.graph, WRITERS[about.precision][kind]
    if kind == "onnx":
        write = partial(write, activations=targets.find(about.target).activations)
    else:
        write = partial(write, compact=compact)
    data = write(quantised, io=io)
    grids = verify.Grids(
        *(_shown(quantised.grids[name], io) for name in (graph.input, graph.output.name, graph.logits))
    )
    probe = write(quantised.logits(), io=io)
    ends = grids if io != "float32" else None
    agreement, outputs = verify.int8_file(kind, data, probe, ends, reference, quantised.least_logit)
    about = replace(about, io=io, agreement=agreement)
    if io != "float32":
        about = replace(about, input=grids.input, output=grids.output)
    return Made(about, data, outputs)


def reference(graph: Graph, samples: Samples | None, rule: Preprocess) -> verify.Reference:
    """What the float graph says; float files must be exact on any input, so noise will do for them."""
    inputs = rules.noise(verify.FLOAT_IMAGES, graph, rule) if samples is None else samples.checking
    head = heads.of(_closing(graph), (1, *graph.output.shape))
    real = samples is not None and samples.source == "images"
    made = verify.Reference.of(graph, inputs, real=real, head=head)
    return replace(made, held_out=samples is not None and samples.held_out is not None)


def _closing(graph: Graph) -> str:
    """Name the last op in the words of `head.of`."""
    return {"mean": "MEAN", "max": "REDUCE_MAX"}.get(graph.output.op, graph.output.op)


def _shown(grid: QuantParams, io: str) -> Quantisation:
    """A grid as the file's reader sees it: uint8 counts from 128 lower."""
    return Quantisation(grid.scale, grid.zero_point + (128 if io == "uint8" else 0))


def tools(kind: str) -> dict[str, str]:
    """Return the versions of what decides on the bytes of a file.

    Raises:
        MissingExtraError: The writer of the format is not installed.
    """
    try:
        return {"mobilenet-edge": __version__, **{name: version(name) for name in ("numpy", TOOLS[kind])}}
    except PackageNotFoundError as error:
        raise MissingExtraError(f"writing .{kind} files needs {error.name}", "export") from error
