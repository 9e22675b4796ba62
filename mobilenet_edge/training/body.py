"""The body of a classifier: its graph up to the features that the last layer with weights reads."""

from __future__ import annotations

from dataclasses import replace

from mobilenet_edge.errors import BuildError
from mobilenet_edge.graph import Graph


def body(graph: Graph) -> Graph:
    """Cut a classifier at its features.

    Args:
        graph: Ends in a classifier: a layer that reads a vector, and at most a softmax or sigmoid behind it.

    Returns:
        The nodes before the classifier; the last one makes a vector (features,).

    Raises:
        BuildError: The classifier reads no vector.
    """
    classifier = graph[graph.logits]
    names = [node.name for node in graph.nodes]
    source = classifier.inputs[0]
    if source not in names or len(graph.shape(source)) != 1:
        raise BuildError(f"{graph.name} has no classifier on a vector of features")
    return replace(graph, name=f"{graph.name}-body", nodes=graph.nodes[: names.index(source) + 1])
