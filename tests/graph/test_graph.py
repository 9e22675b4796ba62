from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mobilenet_edge.graph import Graph, Node, same_padding


def ones(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.ones(shape, np.float32)


def small() -> Graph:
    """A residual block and a head: 8 x 8 x 3 to two classes."""
    return Graph(
        "small",
        "image",
        (8, 8, 3),
        (
            Node("stem", "conv", ("image",), (4, 4, 6), ones(3, 3, 3, 6), ones(6), 2, ((0, 1), (0, 1)), "relu6"),
            Node("dw", "depthwise", ("stem",), (4, 4, 6), ones(3, 3, 6), ones(6), 1, ((1, 1), (1, 1))),
            Node("sum", "add", ("stem", "dw"), (4, 4, 6)),
            Node("mean", "mean", ("sum",), (6,)),
            Node("fc", "dense", ("mean",), (2,), ones(6, 2), ones(2)),
            Node("softmax", "softmax", ("fc",), (2,)),
        ),
    )


def test_macs_are_weights_times_output_pixels() -> None:
    assert [node.macs for node in small().nodes] == [16 * 3 * 3 * 3 * 6, 16 * 3 * 3 * 6, 0, 0, 6 * 2, 0]
    assert small().macs == 2592 + 864 + 12


def test_parameters_are_weights_and_biases() -> None:
    assert small().parameters == (162 + 6) + (54 + 6) + (12 + 2)


def test_logits_are_what_the_softmax_reads() -> None:
    graph = small()
    assert (graph.output.name, graph.logits, graph.classes) == ("softmax", "fc", 2)
    bare = replace(graph, nodes=graph.nodes[:-1])
    assert (bare.logits, bare.classes) == ("fc", 2)


def test_a_feature_map_has_no_classes() -> None:
    graph = small()
    assert replace(graph, nodes=graph.nodes[:3]).classes == 0


def test_nodes_and_shapes_by_name() -> None:
    graph = small()
    assert graph["dw"].op == "depthwise"
    assert graph.shape("image") == (8, 8, 3)
    assert graph.shape("mean") == (6,)
    with pytest.raises(KeyError, match="nothing"):
        graph["nothing"]


def test_a_node_without_weights_says_so() -> None:
    with pytest.raises(ValueError, match=r"sum \(add\) has no weight"):
        _ = small()["sum"].kernel
    with pytest.raises(ValueError, match=r"mean \(mean\) has no bias"):
        _ = small()["mean"].offset


def test_replace_exchanges_nodes_and_leaves_the_graph() -> None:
    graph = small()
    other = graph.replace({"fc": replace(graph["fc"], bias=np.zeros(2, np.float32))})
    assert other["fc"].offset.tolist() == [0, 0]
    assert graph["fc"].offset.tolist() == [1, 1]
    assert [node.name for node in other.nodes] == [node.name for node in graph.nodes]


def test_the_digest_is_of_every_weight_and_bias() -> None:
    graph = small()
    assert graph.sha256() == small().sha256()
    for name in ("stem", "dw", "fc"):
        weight, bias = graph[name].kernel.copy(), graph[name].offset.copy()
        weight.flat[-1] += 1
        bias[0] += 1
        for change in ({"weight": weight}, {"bias": bias}):
            assert graph.replace({name: replace(graph[name], **change)}).sha256() != graph.sha256()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"),
    [
        (224, 3, 1, (1, 1)),
        (224, 3, 2, (0, 1)),  # even: only after, which is what MobileNet's ZeroPadding2D does
        (225, 3, 2, (1, 1)),  # odd: both sides, which is why rho must be a multiple of 32
        (7, 1, 1, (0, 0)),
        (7, 1, 2, (0, 0)),
        (8, 5, 2, (1, 2)),
        (8, 2, 1, (0, 1)),
        (1, 3, 2, (1, 1)),
        (5, 2, 3, (0, 0)),  # ends before the edge: nothing to pad
    ],
)
def test_same_padding_is_tensorflows(size: int, kernel: int, stride: int, padding: tuple[int, int]) -> None:
    assert same_padding(size, kernel, stride) == padding
    # The definition: as many outputs as strides fit.
    assert (size + sum(padding) - kernel) // stride + 1 == -(-size // stride)
