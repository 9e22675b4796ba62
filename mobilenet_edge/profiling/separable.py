"""Time depthwise separable blocks beside the standard convolutions that they replace.

Section 3.1 of arXiv:1704.04861 predicts the ratio of the multiplications. Two chains are written, one of all standard
convolutions of a variant and one of its separable blocks, and each operator is timed as a model of its own.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np

from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.errors import HostError, UsageError
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import NO_PADDING, Graph, Node, Op, Padding
from mobilenet_edge.model import layers
from mobilenet_edge.model.layers import Block, Layer
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.profiling import latency
from mobilenet_edge.profiling.machine import Machine
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.quantise import QuantisedGraph, QuantParams, Weights, weights
from mobilenet_edge.records import Failure, Profile

PRECISIONS: Final = ("float32", "int8")
INPUT: Final = "input"
# Keras pads below and to the right where it halves.
HALVING: Final[Padding] = ((0, 1), (0, 1))
SAME: Final[Padding] = ((1, 1), (1, 1))
# All activations are ReLU6.
GRID: Final = QuantParams.from_range(0, 6)
PLAN: Final = Plan(runs=25, seconds=0.5, rounds=1, ops=True, limit=False)


@dataclass(frozen=True)
class Timing:
    """Median times of one block in milliseconds.

    Attributes:
        block: The block.
        precision: "float32" or "int8".
        standard_ms: Time of the standard convolution that it replaces.
        depthwise_ms: Time of its depthwise convolution.
        pointwise_ms: Time of its pointwise convolution.
    """

    block: Block
    precision: str
    standard_ms: float
    depthwise_ms: float
    pointwise_ms: float

    @property
    def separable_ms(self) -> float:
        """Time of both convolutions of the block."""
        return self.depthwise_ms + self.pointwise_ms


def measure(spec: ModelSpec, machine: Machine, *, threads: int = 1) -> tuple[list[Timing], Profile]:
    """Time the blocks of a MobileNet v1 in LiteRT.

    Args:
        spec: The variant; its weights are random, which latency does not depend on.
        machine: Where to measure.
        threads: Thread count.

    Returns:
        Timings of all blocks by precision, and a profile that describes the machine and the runtime.

    Raises:
        HostError: The machine cannot be reached, or an operator cannot be timed.
        UsageError: The variant is not a MobileNet v1, whose blocks form a chain, or `threads` is below 1.
    """
    if spec.family != "mobilenet_v1":
        raise UsageError(f"--measure is about the blocks of mobilenet_v1, not of {spec.family}; leave out --family")
    blocks = layers.blocks(spec)
    chains = {"standard": _standard(blocks), "separable": _separable(blocks)}
    with tempfile.TemporaryDirectory(prefix="mnet-") as folder:
        paths = []
        for precision, (name, chain) in product(PRECISIONS, chains.items()):
            paths.append(Path(folder) / f"{name}.{precision}.tflite")
            paths[-1].write_bytes(WRITERS[precision](chain))
        records = latency.profile(paths, PLAN, threads=(threads,), machines=[machine])
    profiles = [_with_operators(record) for record in records]
    times = [[op["ms"] for op in profile.ops or ()] for profile in profiles]
    timings = [
        Timing(block, precision, *standard_and_halves)
        for precision, standard, halves in zip(PRECISIONS, times[::2], times[1::2], strict=True)
        for block, *standard_and_halves in zip(blocks, standard, halves[::2], halves[1::2], strict=True)
    ]
    return timings, profiles[0]


def _with_operators(record: Profile | Failure) -> Profile:
    if isinstance(record, Failure):
        raise HostError(f"the blocks cannot be timed: {record.reason}")
    if record.ops is None:
        reason = next((note for note in record.notes if note.code == "no-ops"), None)
        raise HostError(f"the operators of the blocks cannot be timed: {sentence(reason) if reason else 'no runtime'}")
    return record


def _standard(blocks: Sequence[Block]) -> Graph:
    """Return a chain of the standard convolutions that the blocks replace."""
    return _chain(
        "standard",
        blocks[0].depthwise,
        [
            ("conv", block.depthwise, (block.depthwise.kernel,) * 2 + (block.depthwise.inputs, block.pointwise.outputs))
            for block in blocks
        ],
    )


def _separable(blocks: Sequence[Block]) -> Graph:
    """Return a chain of the blocks."""
    nodes: list[tuple[Op, Layer, tuple[int, ...]]] = []
    for block in blocks:
        depthwise, pointwise = block.depthwise, block.pointwise
        nodes.append(("depthwise", depthwise, (depthwise.kernel, depthwise.kernel, depthwise.outputs)))
        nodes.append(("conv", pointwise, (1, 1, pointwise.inputs, pointwise.outputs)))
    return _chain("separable", blocks[0].depthwise, nodes)


def _chain(name: str, first: Layer, operations: Sequence[tuple[Op, Layer, tuple[int, ...]]]) -> Graph:
    """Return a graph of convolutions, each with random weights of the given shape and a ReLU6."""
    generator = np.random.default_rng(0)
    side = first.size * first.stride
    nodes: list[Node] = []
    for op, layer, shape in operations:
        fan_in = math.prod(shape[:-1])
        padding = NO_PADDING if shape[0] == 1 else HALVING if layer.stride == 2 else SAME
        nodes.append(
            Node(
                f"{name}_{layer.name}",
                op,
                (nodes[-1].name if nodes else INPUT,),
                (layer.size, layer.size, shape[-1]),
                generator.normal(0, math.sqrt(2 / fan_in), shape).astype(np.float32),
                np.zeros(shape[-1], np.float32),
                layer.stride,
                padding,
                "relu6",
            )
        )
    return Graph(name, INPUT, (side, side, first.inputs), tuple(nodes))


def _int8(graph: Graph) -> bytes:
    """Write a graph with all activations on one grid; only the shapes matter for latency."""
    grids = dict.fromkeys((graph.input, *(node.name for node in graph.nodes)), GRID)
    rounded = weights.nearest(graph, few=0)
    integers = {
        name: Weights(layer.integers, layer.scales, np.zeros(len(layer.scales), np.int32))
        for name, layer in rounded.items()
    }
    return tflite.int8_tflite(QuantisedGraph(graph, grids, integers), io="int8")


WRITERS: Final[Mapping[str, Callable[[Graph], bytes]]] = {"float32": tflite.float_tflite, "int8": _int8}
