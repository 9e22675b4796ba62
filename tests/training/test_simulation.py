"""The network that is tuned is the one in the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.device.runtimes import open_model
from mobilenet_edge.formats.tflite.write import int8_tflite
from mobilenet_edge.model.build import build
from mobilenet_edge.model.read import parse
from mobilenet_edge.model.save import keras_bytes
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.quantise import QuantisedGraph
from mobilenet_edge.quantise.solve import Options, solve
from mobilenet_edge.training.simulation import Simulation

pytestmark = pytest.mark.slow


def quantise(family: str) -> tuple[QuantisedGraph, np.ndarray]:
    spec = ModelSpec(0.25, 64, 5, family)
    graph = parse(keras_bytes(build(spec, 3)), spec.name).graph
    images = np.random.default_rng(0).uniform(-1, 1, (12, 64, 64, 3)).astype(np.float32)
    return solve(graph, images, Options(looked_at=4)), images


def answers(quantised: QuantisedGraph, images: np.ndarray, folder: Path) -> np.ndarray:
    """Logits of the file, (n, classes), in LiteRT."""
    path = folder / "model.tflite"
    path.write_bytes(int8_tflite(quantised.logits(), io="float32"))
    session = open_model(path)
    return np.concatenate([session.run([image[None]])[0] for image in images])


@pytest.mark.parametrize("family", ["mobilenet_v1", "mobilenet_v2"])
def test_logits_are_those_of_the_file(family, tmp_path):
    quantised, images = quantise(family)
    simulation = Simulation(quantised, pairs=True)
    made = simulation.integers()
    for name, weights in quantised.weights.items():
        np.testing.assert_array_equal(made.weights[name].integers, weights.integers)
        # A bias goes through float32, which has 24 bits.
        np.testing.assert_allclose(made.weights[name].bias, weights.bias, rtol=2**-23, atol=1)
    step = quantised.grids[quantised.graph.logits].scale
    found = (simulation.logits(images).numpy() - answers(quantised, images, tmp_path)) / step
    # Sums that lie half-way between two integers are rounded either way, which in random weights of V2 moves the logits
    # of an image by some steps. Most images have no such sum.
    assert (np.abs(found).max(axis=1) <= 1).mean() > 0.5
    assert np.ptp(answers(quantised, images, tmp_path), axis=0).min() > 4 * step  # these images are told apart


def test_moved_weights_reach_the_file_within_their_limits(tmp_path):
    quantised, images = quantise("mobilenet_v1")
    simulation = Simulation(quantised, pairs=True)
    generator = np.random.default_rng(1)
    for variable in simulation.variables:
        variable.assign_add(generator.normal(0, 1, variable.shape))
    made = simulation.integers()
    moved = [(made.weights[name].integers != old.integers).mean() for name, old in quantised.weights.items()]
    assert min(moved) > 0.3
    for node in quantised.graph.weighted():
        integers = made.weights[node.name].integers.astype(int).reshape(-1, node.shape[-1])
        assert np.abs(integers).max() <= 127
        first, second = integers[0:-1:2], integers[1::2]
        if node.op != "depthwise":
            assert np.where(first * second > 0, np.abs(first + second), 0).max() <= 128
    file = answers(made, images, tmp_path)
    # As near as roundings either way allow, which later layers amplify, and not near to the file of the old integers.
    off = np.abs(simulation.logits(images).numpy() - file).mean()
    assert off < np.abs(answers(quantised, images, tmp_path) - file).mean() / 4


def test_gradient_points_where_the_loss_falls():
    import tensorflow as tf

    quantised, images = quantise("mobilenet_v1")
    simulation = Simulation(replace(quantised), pairs=True)
    targets = tf.one_hot(np.arange(len(images)) % 5, 5)

    def loss():
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, simulation.logits(images)))

    before = float(loss())
    optimiser = tf.keras.optimizers.Adam(0.02)
    for _ in range(30):
        with tf.GradientTape() as tape:
            value = loss()
        gradients = tape.gradient(value, simulation.variables)
        assert all(gradient is not None for gradient in gradients)
        optimiser.apply_gradients(zip(gradients, simulation.variables, strict=True))
    assert float(loss()) < before
