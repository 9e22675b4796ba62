from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mobilenet_edge.graph import Graph
from mobilenet_edge.graph.run import run
from mobilenet_edge.model import layers
from mobilenet_edge.model.build import build
from mobilenet_edge.model.read import parse
from mobilenet_edge.model.recognise import spec_of
from mobilenet_edge.model.save import keras_bytes
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.model.weights import expected

pytestmark = pytest.mark.slow

SPEC = ModelSpec(0.25, 64, 10)


def fold(model: Any) -> Graph:
    return parse(keras_bytes(model), "model").graph


def test_layers_and_weights_are_those_of_keras_applications(mobilenet: Any) -> None:
    ours = {layer.name: [w.shape for w in layer.get_weights()] for layer in build(SPEC).layers if layer.weights}
    theirs = {layer.name: [w.shape for w in layer.get_weights()] for layer in mobilenet.layers if layer.weights}
    assert ours == theirs
    assert build(SPEC).name == mobilenet.name == "mobilenet_0.25_64"


def test_no_padding_layer_and_yet_the_same_outputs(mobilenet: Any) -> None:
    ours = build(SPEC)
    ours.set_weights(mobilenet.get_weights())
    assert not [layer.name for layer in ours.layers if "pad" in layer.name]
    images = np.random.default_rng(1).uniform(-1, 1, (4, 64, 64, 3)).astype(np.float32)
    # Bit-identical: 'same' pads an even side exactly as ZeroPadding2D((0, 1), (0, 1)) does.
    np.testing.assert_array_equal(np.asarray(ours(images)), np.asarray(mobilenet(images)))


V2 = ModelSpec(0.35, 64, 10, "mobilenet_v2")


@pytest.mark.parametrize(
    "spec",
    [
        SPEC,
        V2,
        ModelSpec(1.4, 32, 2, "mobilenet_v2", 1),
        ModelSpec(0.5, 32),
        ModelSpec(1.3, 32, 1),
        ModelSpec(1 / 32, 32, 2),
    ],
    ids=lambda spec: spec.name,
)
def test_parameters_are_those_of_the_layer_table(spec: ModelSpec) -> None:
    assert build(spec).count_params() == layers.keras_parameters(spec)


def test_the_published_count_at_full_width() -> None:
    # weights of the body, four batch-norm values for each of 10,944 channels, and the classifier
    assert build(ModelSpec(1.0, 32)).count_params() == 3_185_088 + 4 * 10_944 + 1_025_000


def test_the_seed_decides_the_weights() -> None:
    def kernels(seed: int) -> np.ndarray[Any, Any]:
        return np.concatenate([w.ravel() for w in build(SPEC, seed).get_weights()])

    np.testing.assert_array_equal(kernels(3), kernels(3))
    assert (kernels(3) != kernels(4)).any()


def test_outputs_are_probabilities() -> None:
    model = build(SPEC)
    scores = np.asarray(model(np.zeros((2, 64, 64, 3), np.float32)))
    assert scores.shape == (2, 10)
    # 10 float32 terms
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-6)


def test_a_v2_is_keras_own_with_a_signal_that_lives() -> None:
    graph = fold(build(V2, 3))
    assert (graph.macs, graph.parameters) == (layers.macs(V2), layers.parameters(V2))
    assert spec_of(graph) == V2
    images = np.random.default_rng(1).uniform(-1, 1, (4, 64, 64, 3)).astype(np.float32)
    logits = run(graph, images, graph.logits)
    assert logits.std() > 0.1
    assert fold(build(V2, 3)).sha256() == graph.sha256()
    assert fold(build(V2, 4)).sha256() != graph.sha256()


def test_v2_layers_and_weights_have_the_names_and_shapes_of_the_table() -> None:
    held = {layer.name: [w.shape for w in layer.get_weights()] for layer in build(V2).layers if layer.weights}
    assert held == expected(V2)
