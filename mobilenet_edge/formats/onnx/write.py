"""ONNX files from the folded graph: float32, small weights under floats, int8 in QDQ form, and mixed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mobilenet_edge.formats.onnx.int8 import IO, Int8Writer
from mobilenet_edge.formats.onnx.mixed import MixedWriter
from mobilenet_edge.formats.onnx.small import SmallWriter
from mobilenet_edge.formats.onnx.writer import FloatWriter
from mobilenet_edge.graph import Graph
from mobilenet_edge.quantise import QuantisedGraph
from mobilenet_edge.quantise.partition import MixedGraph
from mobilenet_edge.quantise.weights import Rounded


def float_onnx(graph: Graph) -> bytes:
    """Write float32; input (1, c, h, w), output (1, ...), static batch."""
    return FloatWriter(graph).write()


def float16_onnx(graph: Graph) -> bytes:
    """Write float16 weights; biases, activations, input (1, c, h, w) and output (1, ...) float32.

    Raises:
        BuildError: A weight is beyond what float16 holds.
    """
    return SmallWriter(graph, {}).write()


def dynamic_onnx(graph: Graph, weights: Mapping[str, Rounded]) -> bytes:
    """Write int8 weights per channel; biases, activations, input (1, c, h, w) and output (1, ...) float32.

    Args:
        graph: The folded graph.
        weights: By name of the node; a node that is not among them keeps its weight, in float16.

    Raises:
        BuildError: A weight that is kept is beyond what float16 holds.
    """
    return SmallWriter(graph, weights).write()


def int8_onnx(quantised: QuantisedGraph, io: IO = "float32", activations: Literal["uint8", "int8"] = "uint8") -> bytes:
    """Write int8 weights per channel, 8-bit activations, QDQ.

    Args:
        quantised: The integers; they stand in the file as they are.
        io: Element type of input and output. With float32 a closing softmax or sigmoid is computed in float; another
            integer than the activations' costs a conversion at each end.
        activations: Their element type: the same grid, seen from 128 higher for uint8.
    """
    return Int8Writer(quantised, io, activations).write()


def mixed_onnx(mixed: MixedGraph, activations: Literal["uint8", "int8"] = "uint8") -> bytes:
    """Write float32 layers and int8 ones in QDQ form behind them; input (1, c, h, w) and output (1, ...) float32.

    Args:
        mixed: The float part and the integers, which stand in the file as they are.
        activations: As for `int8_onnx`.
    """
    return MixedWriter(mixed, activations).write()
