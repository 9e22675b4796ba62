"""Moments against plain numpy in float64, layer by layer, and what joining parts must not change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mobilenet_edge.graph import NO_PADDING, Node
from mobilenet_edge.graph.run import linear
from mobilenet_edge.quantise.moments import Moments, as_problems, as_weight, per_output

SAME = ((0, 1), (0, 1))
ROUND = ((1, 1), (1, 1))


def node(op, shape, out, stride=1, padding=NO_PADDING):
    weight = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    return Node("n", op, ("x",), out, weight, np.arange(shape[-1], dtype=np.float32), stride, padding)


LAYERS = {
    "1x1": (node("conv", (1, 1, 3, 5), (6, 6, 5)), (6, 6, 3)),
    "1x1 of two steps": (node("conv", (1, 1, 3, 5), (4, 4, 5), 2), (7, 7, 3)),
    "3x3 of two steps": (node("conv", (3, 3, 3, 4), (4, 4, 4), 2, SAME), (8, 8, 3)),
    "3x3 padded all round": (node("conv", (3, 3, 2, 4), (4, 4, 4), 2, ROUND), (7, 7, 2)),
    "depthwise": (node("depthwise", (3, 3, 4), (6, 6, 4), 1, ROUND), (6, 6, 4)),
    "depthwise of two steps": (node("depthwise", (3, 3, 4), (3, 3, 4), 2, SAME), (6, 6, 4)),
    "dense": (node("dense", (7, 3), (3,)), (7,)),
}


@pytest.fixture(params=LAYERS)
def layer(request):
    return LAYERS[request.param]


def batch(shape, count=12):
    # A mean well off zero: what is centred and what is not must show.
    return np.random.default_rng(5).normal(3, 1, (count, *shape)).astype(np.float32)


def rows(node, x):
    """What the kernel sees at each place (batch, n, K), one window at a time."""
    if node.op == "dense":
        return x[None]
    kh, kw = node.kernel.shape[:2]
    padded = np.pad(x, ((0, 0), *node.padding, (0, 0)))
    seen = [
        image[i * node.stride : i * node.stride + kh, j * node.stride : j * node.stride + kw]
        for image in padded
        for i in range(node.shape[0])
        for j in range(node.shape[1])
    ]
    windows = np.stack(seen)
    if node.op == "conv":
        return windows.reshape(1, len(windows), -1)
    return windows.reshape(len(windows), kh * kw, -1).transpose(2, 0, 1)


def moments(node, x, step=1):
    """Of every `step`-th place, given as the quantiser gives it: samples last."""
    seen = rows(node, x)[:, ::step].transpose(0, 2, 1).copy()
    return Moments.of(node, seen, linear(node, [x]).reshape(-1, node.shape[-1])[::step])


def plain(node, x, step):
    """Means, covariance and cross covariance (batch, ...), by numpy's own `cov`."""
    inputs = rows(node, x)[:, ::step].astype(np.float64)
    outputs = linear(node, [x]).reshape(-1, node.shape[-1])[::step].astype(np.float64)
    outputs = outputs.T[:, :, None] if node.op == "depthwise" else outputs[None]
    size = inputs.shape[2]
    both = [np.cov(np.hstack(pair), rowvar=False, bias=True) for pair in zip(inputs, outputs, strict=True)]
    covariance, cross = np.stack([each[:size, :size] for each in both]), np.stack([each[:size, size:] for each in both])
    return inputs.shape[1], inputs.mean(axis=1), outputs.mean(axis=1), covariance, cross


def assert_moments(found, wanted):
    count, mean_x, mean_y, covariance, cross = wanted
    assert found.count == count
    # Sums of some hundred float32 products of values around 1: 1e-5 is a hundred times their rounding.
    for mine, truth in ((found.mean_x, mean_x), (found.mean_y, mean_y)):
        np.testing.assert_allclose(mine, truth, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.cross, cross, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("step", [1, 5])
def test_moments_are_those_of_plain_numpy(layer, step):
    own, shape = layer
    x = batch(shape)
    before = x.copy()
    assert_moments(moments(own, x, step), plain(own, x, step))
    np.testing.assert_array_equal(x, before)


def test_parts_of_unlike_size_and_mean_make_the_whole(layer):
    own, shape = layer
    x = batch(shape) + np.arange(12, dtype=np.float32).reshape(-1, *[1] * len(shape))
    parts = [moments(own, part) for part in np.split(x, [1, 4])]
    assert_moments(Moments.sum(iter(parts)), plain(own, x, 1))
    for each in ("mean_x", "mean_y", "xx", "xy"):
        np.testing.assert_array_equal(getattr(Moments.sum(parts[:1]), each), getattr(parts[0], each))


def test_an_input_that_hardly_varies_has_no_negative_variance():
    # 0.7 is on no float32: sums of its squares, less the square of their mean, came out below zero.
    own, shape = LAYERS["3x3 of two steps"]
    own = replace(own, padding=NO_PADDING, shape=(3, 3, 4))
    x = np.full((10, *shape), 0.7, np.float32)
    parts = [moments(own, part) for part in np.split(x, 2)]
    covariance = Moments.sum(parts).covariance
    assert np.linalg.eigvalsh(covariance[0]).min() >= -1e-20
    assert np.abs(covariance).max() < 1e-10


def test_problems_and_weights_are_each_others_inverse(layer):
    own, _ = layer
    problems = as_problems(own, own.kernel)
    np.testing.assert_array_equal(as_weight(own, problems), own.kernel)
    outputs = own.kernel.shape[-1]
    assert problems.shape[0] * problems.shape[2] == outputs
    assert per_output(own, np.arange(outputs).reshape(problems.shape[0], -1)).tolist() == list(range(outputs))


def test_problems_give_the_layers_outputs(layer):
    own, shape = layer
    x = batch(shape)
    made = rows(own, x) @ as_problems(own, own.kernel)
    outputs = made[:, :, 0].T if own.op == "depthwise" else made[0]
    wanted = linear(own, [x]).reshape(outputs.shape) - own.offset
    np.testing.assert_allclose(outputs, wanted, rtol=1e-4, atol=1e-4)
