"""The body as the graph of a Keras model, beside what Keras computes."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.errors import BuildError
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.graph.run import run
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.training.body import body


@pytest.mark.slow
@pytest.mark.parametrize(("family", "alpha", "side"), [("mobilenet_v1", 0.25, 32), ("mobilenet_v2", 0.35, 96)])
def test_body_gives_the_features_of_keras(family, alpha, side):
    from mobilenet_edge.model.build import build
    from mobilenet_edge.model.read import parse
    from mobilenet_edge.model.save import keras_bytes
    from mobilenet_edge.model.tf import load_keras

    keras = load_keras()
    model = build(ModelSpec(alpha, side, 3, family), seed=1)
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":  # new ones are the identity, nearly
            layer.set_weights([generator.uniform(0.5, 1.5, array.shape) for array in layer.get_weights()])
    images = generator.uniform(-1, 1, (3, side, side, 3)).astype(np.float32)
    pooled = keras.Model(model.input, model.get_layer("global_average_pooling2d").output)
    expected = np.asarray(pooled(images, training=False)).reshape(3, -1)
    assert expected.std() > 0.1
    graph = body(parse(keras_bytes(model), "model").graph)
    np.testing.assert_allclose(run(graph, images), expected, rtol=1e-3, atol=1e-4)


def test_classifier_of_a_map_is_refused():
    kernel, bias = np.ones((1, 1, 3, 2), np.float32), np.zeros(2, np.float32)
    graph = Graph("map", "image", (8, 8, 3), (Node("logits", "conv", ("image",), (8, 8, 2), kernel, bias),))
    with pytest.raises(BuildError, match="no classifier on a vector"):
        body(graph)
