"""MACs and parameters of any MobileNet v1 are those of the model that Keras builds."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobilenet_edge.model import layers
from mobilenet_edge.model.spec import STEM, ModelSpec
from mobilenet_edge.model.tf import load_keras

pytestmark = pytest.mark.slow

SPECS = st.builds(
    ModelSpec,
    alpha=st.sampled_from((0.25, 0.5, 0.75, 1.0)) | st.floats(1 / STEM, 2, exclude_min=True),
    resolution=st.integers(1, 32).map(lambda n: 32 * n),
    classes=st.integers(1, 3000),
)


def kernels(model: Any) -> list[tuple[int, int, int]]:
    """Of each layer with a kernel: its elements, the pixels of its output, and the channels of its output."""
    found = []
    for layer in model.layers:
        if layer.__class__.__name__ in ("Conv2D", "DepthwiseConv2D"):
            _, height, width, channels = layer.output.shape
            found.append((math.prod(layer.kernel.shape), height * width, channels))
    return found


# A model takes Keras about a second.
@settings(max_examples=15)
@given(spec=SPECS)
def test_counts_are_those_of_keras(spec: ModelSpec) -> None:
    keras = load_keras()
    shape = (spec.resolution, spec.resolution, 3)
    model = keras.applications.MobileNet(shape, alpha=spec.alpha, weights=None, classes=spec.classes)
    found = kernels(model)
    table = layers.table(spec)
    assert [(each.weights, each.size**2, each.outputs) for each in table] == found
    assert layers.keras_parameters(spec) == model.count_params()
    # Folding leaves of four values a channel, gamma, beta, mean and variance, one; the classifier has its bias already.
    norms = sum(channels for _, _, channels in found[:-1])
    assert layers.parameters(spec) == model.count_params() - 3 * norms
    assert layers.macs(spec) == sum(elements * pixels for elements, pixels, _ in found)
    keras.backend.clear_session()
