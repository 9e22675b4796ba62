from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.graph import Graph, Node, same_padding
from mobilenet_edge.model.layers import table
from mobilenet_edge.model.recognise import safe_name, spec_of
from mobilenet_edge.model.spec import ModelSpec


def graph_of(spec: ModelSpec, softmax: bool = True) -> Graph:
    """The folded graph of a variant, made from the layer table with weights of zero."""
    nodes: list[Node] = []
    before, read = "image", list[str]()
    for layer in table(spec):
        zeros = same_padding(layer.size * layer.stride, layer.kernel, layer.stride)
        shape: tuple[int, ...] = (layer.size, layer.size, layer.outputs)
        kernel: tuple[int, ...] = (layer.kernel, layer.kernel, layer.inputs, layer.outputs)
        clip = "relu6" if layer.clipped else "linear"
        common: dict[str, Any] = {"stride": layer.stride, "padding": (zeros, zeros), "activation": clip}
        if layer.kind == "depthwise":
            kernel = kernel[:3]
        if layer.kind == "classifier":
            nodes.append(Node("mean", "mean", (before,), (layer.inputs,)))
            before, shape, kernel, common = "mean", (layer.outputs,), (layer.inputs, layer.outputs), {}
        op = {"depthwise": "depthwise", "classifier": "dense"}.get(layer.kind, "conv")
        weight, bias = np.zeros(kernel, np.float32), np.zeros(layer.outputs, np.float32)
        nodes.append(Node(layer.name, op, (before,), shape, weight, bias, **common))  # type: ignore[arg-type]
        read.append(before)
        before = layer.name
        if layer.added:
            nodes.append(Node(f"{before}_add", "add", (read[-layer.added], before), shape))
            before = f"{before}_add"
    if softmax:
        nodes.append(Node("softmax", "softmax", (before,), (spec.classes,)))
    return Graph("any", "image", (spec.resolution, spec.resolution, spec.channels), tuple(nodes))


@pytest.mark.parametrize(
    "spec",
    [
        ModelSpec(0.25, 128),
        ModelSpec(0.5, 160, 5),
        ModelSpec(0.75, 192),
        ModelSpec(1.0, 224, 1),
        ModelSpec(0.35, 96),
        ModelSpec(1.3, 32, 10),
        ModelSpec(2.0, 32, 2),
        ModelSpec(0.25, 96, 2, channels=1),
        ModelSpec(0.35, 96, family="mobilenet_v2"),
        ModelSpec(1.0, 224, 5, "mobilenet_v2"),
        ModelSpec(1.4, 32, 10, "mobilenet_v2", 1),
        ModelSpec(0.77, 64, 3, "mobilenet_v2"),
    ],
    ids=lambda spec: spec.name,
)
@pytest.mark.parametrize("softmax", [True, False])
def test_a_variant_is_recognised_by_its_shapes(spec: ModelSpec, softmax: bool) -> None:
    assert spec_of(graph_of(spec, softmax)) == spec


@pytest.mark.parametrize("alpha", [1 / 3, 0.3333, 1 / 32])
def test_of_alphas_with_the_same_widths_the_shortest_is_named(alpha: float) -> None:
    found = spec_of(graph_of(ModelSpec(alpha, 32, 2)))
    assert found is not None
    assert table(found) == table(ModelSpec(alpha, 32, 2))
    assert len(repr(found.alpha)) <= len(repr(alpha))


def test_names_do_not_matter() -> None:
    graph = graph_of(ModelSpec(0.25, 32, 2))
    names = {"image": "image"} | {node.name: f"layer_{index}" for index, node in enumerate(graph.nodes)}
    nodes = tuple(
        replace(node, name=names[node.name], inputs=tuple(names[each] for each in node.inputs)) for node in graph.nodes
    )
    assert spec_of(replace(graph, nodes=nodes)) == ModelSpec(0.25, 32, 2)


def changed(**changes: Any) -> Graph:
    """A variant with one layer in the middle changed."""
    graph = graph_of(ModelSpec(0.25, 64, 2))
    return graph.replace({"conv_dw_5": replace(graph["conv_dw_5"], **changes)})


def without(*names: str) -> Graph:
    graph = graph_of(ModelSpec(0.25, 64, 2))
    return replace(graph, nodes=tuple(node for node in graph.nodes if node.name not in names))


def summed_elsewhere() -> Graph:
    graph = graph_of(ModelSpec(0.35, 32, 2, "mobilenet_v2"))
    node = graph["block_4_project_add"]
    return graph.replace({node.name: replace(node, inputs=("block_4_project", "block_4_project"))})


OTHERS = {
    "a sum of something else": summed_elsewhere(),
    "no head": without("mean", "conv_preds", "softmax"),
    "pooled features": without("conv_preds", "softmax"),
    "a block less": without("conv_dw_9", "conv_pw_9"),
    "relu for relu6": changed(activation="relu"),
    "another stride": changed(stride=2),
    "another padding": changed(padding=((0, 2), (0, 2))),
    "another kernel": changed(weight=np.zeros((5, 5, 64), np.float32)),
    "a shortcut": changed(inputs=("conv_pw_3",)),
    "not square": replace(graph_of(ModelSpec(0.25, 64, 2)), input_shape=(64, 32, 3)),
    "grey images": replace(graph_of(ModelSpec(0.25, 64, 2)), input_shape=(64, 64, 1)),
    "another side": replace(graph_of(ModelSpec(0.25, 64, 2)), input_shape=(100, 100, 3)),
    "nothing": Graph("x", "image", (32, 32, 3), ()),
}


@pytest.mark.parametrize("graph", OTHERS.values(), ids=OTHERS)
def test_anything_else_is_not(graph: Graph) -> None:
    assert spec_of(graph) is None


def test_a_hidden_layer_in_the_head_is_another_model() -> None:
    graph = graph_of(ModelSpec(0.25, 64, 4), softmax=False)
    square = np.zeros((4, 4), np.float32)
    hidden = Node("more", "dense", ("conv_preds",), (4,), square, np.zeros(4, np.float32))
    assert spec_of(replace(graph, nodes=(*graph.nodes, hidden))) is None


@pytest.mark.slow
def test_models_from_keras(keras: Any, mobilenet: Any) -> None:
    from mobilenet_edge.model.read import parse
    from mobilenet_edge.model.save import keras_bytes

    assert spec_of(parse(keras_bytes(mobilenet), "x").graph) == ModelSpec(0.25, 64, 10)
    layers = keras.layers
    body = keras.applications.MobileNet((96, 96, 3), alpha=0.5, include_top=False, weights=None)
    own = keras.Sequential([body, layers.GlobalAveragePooling2D(), layers.Dropout(0.1), layers.Dense(7)])
    assert spec_of(parse(keras_bytes(own), "x").graph) == ModelSpec(0.5, 96, 7)
    second = keras.applications.MobileNetV2((32, 32, 3), weights=None, classes=2)
    assert spec_of(parse(keras_bytes(second), "x").graph) == ModelSpec(1.0, 32, 2, "mobilenet_v2")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("mobilenet_0.25_128", "mobilenet_0.25_128"),
        ("my model/v2: best", "my_model_v2_best"),
        ("../../etc", "etc"),
        ("..", "model"),
        ("", "model"),
        ("Übung", "bung"),
    ],
)
def test_names_are_made_fit_for_files(name: str, safe: str) -> None:
    assert safe_name(name) == safe
