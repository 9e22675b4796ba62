"""TFLite files from the folded graph: float32, small weights under floats, full-integer int8, and mixed."""

from __future__ import annotations

from collections.abc import Mapping

from mobilenet_edge.formats.tflite.int8 import IO, Int8Writer
from mobilenet_edge.formats.tflite.mixed import MixedWriter
from mobilenet_edge.formats.tflite.small import SmallWriter
from mobilenet_edge.formats.tflite.writer import FloatWriter
from mobilenet_edge.graph import Graph
from mobilenet_edge.quantise import QuantisedGraph
from mobilenet_edge.quantise.partition import MixedGraph
from mobilenet_edge.quantise.weights import Rounded


def float_tflite(graph: Graph) -> bytes:
    """Write float32 weights and activations; input (1, h, w, c), output (1, ...), float32."""
    return FloatWriter(graph).write()


def float16_tflite(graph: Graph) -> bytes:
    """Write float16 weights; biases, activations, input (1, h, w, c) and output (1, ...) float32.

    Raises:
        BuildError: A weight is beyond what float16 holds.
    """
    return SmallWriter(graph, {}).write()


def dynamic_tflite(graph: Graph, weights: Mapping[str, Rounded]) -> bytes:
    """Write int8 weights per channel; biases, activations, input (1, h, w, c) and output (1, ...) float32.

    Args:
        graph: The folded graph.
        weights: By name of the node; a node that is not among them keeps its weight, in float16.

    Raises:
        BuildError: A weight that is kept is beyond what float16 holds.
    """
    return SmallWriter(graph, weights).write()


def int8_tflite(quantised: QuantisedGraph, io: IO = "int8", compact: bool = False) -> bytes:
    """Write a full-integer file: int8 weights per channel, int8 activations, int32 biases.

    Args:
        quantised: The integers; they stand in the file as they are.
        io: Element type of input and output; other than int8 it costs one conversion at each end.
        compact: Count inner tensors in a unit of their own, see `unit`: 2 % smaller, but their scales are not real.
    """
    return Int8Writer(quantised, io, compact).write()


def mixed_tflite(mixed: MixedGraph, compact: bool = False) -> bytes:
    """Write float32 layers and int8 ones behind them; input (1, h, w, c) and output (1, ...) float32.

    Args:
        mixed: The float part and the integers, which stand in the file as they are.
        compact: As for `int8_tflite`.
    """
    return MixedWriter(mixed, compact).write()
