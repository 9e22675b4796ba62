"""Folding batch norm into the weights keeps the outputs of any small network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobilenet_edge.graph.run import run
from mobilenet_edge.model.read import parse
from mobilenet_edge.model.save import keras_bytes
from mobilenet_edge.model.tf import load_keras

pytestmark = pytest.mark.slow

BLOCK = st.fixed_dictionaries(
    {
        "depthwise": st.booleans(),
        "filters": st.integers(1, 7),
        "kernel": st.integers(1, 4),
        "stride": st.integers(1, 2),
        "padding": st.sampled_from(("same", "valid")),
        "bias": st.booleans(),
        "norm": st.sampled_from((None, {}, {"scale": False}, {"center": False}, {"epsilon": 1e-5})),
        "activation": st.sampled_from((None, "relu", "relu6")),
    }
)
SIDE = 15  # odd, so that 'same' pads unevenly at stride 2


def network(keras: Any, blocks: list[dict[str, Any]], head: bool) -> Any:
    layers = keras.layers
    image = x = keras.Input((SIDE, SIDE, 3))
    for each in blocks:
        padding = each["padding"] if min(x.shape[1:3]) >= each["kernel"] else "same"
        how = {"strides": each["stride"], "padding": padding, "use_bias": each["bias"]}
        if each["depthwise"]:
            x = layers.DepthwiseConv2D(each["kernel"], **how)(x)
        else:
            x = layers.Conv2D(each["filters"], each["kernel"], **how)(x)
        if each["norm"] is not None:
            x = layers.BatchNormalization(**each["norm"])(x)
        if each["activation"]:
            x = layers.Activation(each["activation"])(x)
    if head:
        x = layers.Dense(4, "softmax")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, x)


def randomise(model: Any, seed: int) -> None:
    """Values as training leaves them, and worse: gammas of both signs, variances far from 1."""
    random = np.random.default_rng(seed)
    for variable in model.weights:
        shape, name = variable.shape, variable.name
        if name == "moving_variance":
            value = 10 ** random.uniform(-2, 1, shape)
        elif name == "gamma":
            value = random.choice((-1, 1), shape) * random.uniform(0.1, 2, shape)
        elif name == "kernel":
            value = random.normal(0, 1 / np.sqrt(np.prod(shape[:-1])), shape)
        else:
            value = random.normal(0, 1, shape)
        variable.assign(value)


@settings(max_examples=12)
@given(blocks=st.lists(BLOCK, min_size=1, max_size=4), head=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_outputs_stay(blocks: list[dict[str, Any]], head: bool, seed: int) -> None:
    keras = load_keras()
    model = network(keras, blocks, head)
    randomise(model, seed)
    graph = parse(keras_bytes(model), "any").graph
    images = np.random.default_rng(seed).uniform(-1, 1, (2, SIDE, SIDE, 3)).astype(np.float32)
    wanted = np.asarray(model(images, training=False))
    given = run(graph, images).reshape(wanted.shape)
    # float32 keeps 24 bits. A norm takes a mean of about 1 from sums of about 1, and multiplies what is left by up to
    # 2 / sqrt(0.01) = 20, and its rounding with it; a few layers on, one such step of 2e-6 has not grown tenfold.
    np.testing.assert_allclose(given, wanted, rtol=0, atol=1e-4 * max(1.0, float(np.abs(wanted).max())))
    assert not any("Norm" in node.op for node in graph.nodes)
    assert graph.parameters <= model.count_params() + sum(each.offset.size for each in graph.weighted())
    keras.backend.clear_session()
