"""A body without learned weights: its shapes, its seed, and what its features tell apart."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.model import weights
from mobilenet_edge.model.layers import table
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.training import start


@pytest.mark.parametrize("spec", [ModelSpec(0.25, 64, 3), ModelSpec(0.3, 32, 3), ModelSpec(0.5, 96, 3, "mobilenet_v2")])
def test_shapes_are_those_of_the_variant(spec):
    arrays = start.arrays(spec, 0)
    shapes = {name: [array.shape for array in values] for name, values in arrays.items()}
    expected = weights.expected(spec)
    del expected[weights.classifier(spec)]
    assert shapes == expected
    assert all(array.dtype == np.float32 for values in arrays.values() for array in values)


def test_seed_decides():
    first, again, other = (start.arrays(ModelSpec(0.25, 64, 3), seed) for seed in (0, 0, 1))
    assert all(np.array_equal(first[name][0], again[name][0]) for name in first)
    assert not np.array_equal(first["conv_pw_3"][0], other["conv_pw_3"][0])


def test_first_convolution_sees_edges_and_colours_and_no_brightness():
    spec = ModelSpec(0.25, 64, 3)
    (kernel,) = start.arrays(spec, 0)[table(spec)[0].name]
    assert kernel.sum(axis=(0, 1, 2)) == pytest.approx(0, abs=1e-6)
    # Six directions: a slope from left to right excites the first one most, and the opposite one least.
    answers = np.tensordot(np.tile([-1.0, 0, 1], (3, 1)), kernel.sum(axis=2), axes=2)
    assert (answers.argmax(), answers.argmin()) == (0, 3)
    # Two colours: red against green, and green against red; they see no slope.
    assert kernel[..., 6:].sum(axis=(0, 1)) == pytest.approx(np.array([[1, -1], [-1, 1], [0, 0]]), abs=1e-6)
    assert answers[6:] == pytest.approx(0, abs=1e-6)


def test_pointwise_layers_pass_on_what_they_get(monkeypatch):
    monkeypatch.setattr(start, "NOISE", 0.0)
    (kernel,) = start.arrays(ModelSpec(0.25, 64, 3), 0)["conv_pw_1"]
    values = np.arange(8, dtype=np.float32)
    assert values @ kernel[0, 0] == pytest.approx(np.tile(values, 2))
