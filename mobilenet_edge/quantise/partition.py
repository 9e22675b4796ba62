"""Mixed precision: the first layers of a graph in float, and integers for the rest, solved on what these layers give.

A graph is cut at a tensor through which everything passes, so that one conversion joins the two parts. Errors of the
first tensors are amplified by all later layers, and there int8 arithmetic gains least: layers are narrow, maps large.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from mobilenet_edge.errors import BuildError
from mobilenet_edge.graph import CLOSING, Array, Graph
from mobilenet_edge.quantise import QuantisedGraph, QuantParams, channels, grids
from mobilenet_edge.quantise.engine import REFERENCE, Engine
from mobilenet_edge.quantise.solve import Options, solve

# Share of a model's MACs that stay in float where nothing else is asked for; docs/quantisation.md.
FLOAT_SHARE: Final = 0.2

# Runs a float graph on images (n, h, w, c) and returns its output (n, h, w, c).
Run = Callable[[Graph, Array], Array]


@dataclass(frozen=True, eq=False)
class MixedGraph:
    """A graph whose first nodes are computed in float.

    Attributes:
        front: Those nodes; its output, a map, is what `rest` takes.
        rest: The integers of all others. Its input has the name of the front's output, and the grid that it is
            rounded to. A closing softmax or sigmoid is computed in float by every writer.
    """

    front: Graph
    rest: QuantisedGraph

    @property
    def cut(self) -> str:
        """Name of the last tensor in float."""
        return self.front.output.name

    @property
    def layers(self) -> int:
        """Number of weighted nodes in float."""
        return len(list(self.front.weighted()))

    @property
    def closing(self) -> Graph | None:
        """The closing softmax or sigmoid as a graph of its own, None where there is none."""
        graph = self.rest.graph
        if graph.output.op not in CLOSING:
            return None
        return replace(graph, input=graph.logits, nodes=graph.nodes[-1:])

    def logits(self) -> MixedGraph:
        """The same without a closing softmax or sigmoid."""
        return replace(self, rest=self.rest.logits())


def cuts(graph: Graph) -> tuple[str, ...]:
    """List the maps through which everything passes, one behind each weighted node where there is such a map."""
    last = {name: node.name for node in graph.nodes for name in node.inputs}
    live, weighted = {graph.input}, 0
    found: dict[int, str] = {}
    total = len(list(graph.weighted()))
    for node in graph.nodes[:-1]:
        weighted += node.weight is not None
        live = {name for name in (*live, node.name) if last.get(name) != node.name}
        if live == {node.name} and len(node.shape) == 3 and 0 < weighted < total:
            found[weighted] = node.name
    return tuple(found.values())


def split(graph: Graph, cut: str) -> tuple[Graph, Graph]:
    """Divide a graph into the nodes up to a cut and those behind it."""
    place = 1 + next(index for index, node in enumerate(graph.nodes) if node.name == cut)
    height, width, depth = graph[cut].shape
    front, rest = graph.nodes[:place], graph.nodes[place:]
    return replace(graph, nodes=front), replace(graph, input=cut, input_shape=(height, width, depth), nodes=rest)


def default(graph: Graph) -> str:
    """Return the last cut before which there are at most `FLOAT_SHARE` of the MACs, or else the first one.

    Raises:
        BuildError: The graph cannot be cut.
    """
    found = cuts(graph)
    if not found:
        raise BuildError(
            f"{graph.name} has no tensor through which everything passes, so no part of it can stay in float; "
            "export with --precision int8"
        )
    small = [cut for cut in found if split(graph, cut)[0].macs <= FLOAT_SHARE * graph.macs]
    return small[-1] if small else found[0]


def quantise(
    graph: Graph,
    cut: str,
    images: Array,
    options: Options,
    entry: QuantParams,
    run: Run,
    on_layer: Callable[[], None] = lambda: None,
    engine: Engine = REFERENCE,
) -> MixedGraph:
    """Quantise what follows a cut, on the outputs of what stays in float.

    Args:
        graph: The folded graph.
        cut: One of its `cuts`.
        images: Calibration images, preprocessed, float32 (n, h, w, c). Memory grows by the tensor at the cut, once an
            image.
        options: How hard to try.
        entry: The grid of the model's input, which bounds what early channels can hold.
        run: Computes the float part.
        on_layer: Called after each quantised node.
        engine: What computes the passes of the quantiser.

    Raises:
        BuildError: A layer's outputs on these images are not finite.
    """
    layers = len(list(split(graph, cut)[0].weighted()))
    graph = channels.prepare(graph, images[: options.looked_at], entry, engine, float_layers=layers - 1)
    front, rest = split(graph, cut)
    values = run(front, images)
    if not np.isfinite(values).all():
        raise BuildError(f"layer {cut!r} gives NaN or infinity on the calibration images; check the weights")
    low, high = grids.limits(graph, graph[cut], float(values.min()), float(values.max()))
    # The channels behind the cut have been prepared with those before it; a view of a tensor is not that of a picture.
    prepared = replace(options, looked_at=0, width=0, views=1)
    return MixedGraph(front, solve(rest, values, prepared, on_layer, QuantParams.from_range(low, high), engine))
