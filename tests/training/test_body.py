"""The body without Keras, beside the one that Keras makes."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.graph.run import run
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.training.body import body


@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "side"), [(0.25, 32), (0.3, 96)])
def test_body_gives_the_features_of_keras(alpha, side):
    from mobilenet_edge.model.build import build
    from mobilenet_edge.model.tf import load_keras

    keras = load_keras()
    model = build(ModelSpec(alpha, side, 3), seed=1)
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":  # new ones are the identity, nearly
            layer.set_weights([generator.uniform(0.5, 1.5, array.shape) for array in layer.get_weights()])
    arrays = {layer.name: layer.get_weights() for layer in model.layers if layer.get_weights()}
    images = generator.uniform(-1, 1, (3, side, side, 3)).astype(np.float32)
    pooled = keras.Model(model.input, model.get_layer("global_average_pooling2d").output)
    expected = np.asarray(pooled(images, training=False)).reshape(3, -1)
    assert expected.std() > 0.1
    np.testing.assert_allclose(run(body(ModelSpec(alpha, side, 3), arrays), images), expected, rtol=1e-3, atol=1e-4)
