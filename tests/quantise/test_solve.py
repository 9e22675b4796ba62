"""The quantiser from end to end on small networks, and on calibration that shows it next to nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenet_edge.data import images as pictures
from mobilenet_edge.data import prepare
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import BuildError
from mobilenet_edge.evaluation.scores import snr_db
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.graph.run import run
from mobilenet_edge.quantise import SOFTMAX_GRID, QuantParams, frontier
from mobilenet_edge.quantise.saturation import head_room
from mobilenet_edge.quantise.solve import EFFORTS, INPUT_GRID, Options, solve


def assert_sound(made, images):
    """Integers within their limits, finite scales and biases, whatever they were calibrated with."""
    for node in made.graph.weighted():
        own = made.weights[node.name]
        assert own.integers.shape == node.kernel.shape
        assert (own.integers.dtype, own.scales.dtype, own.bias.dtype) == (np.int8, np.float32, np.int32)
        assert own.integers.min() >= -127
        assert (own.scales > 0).all()
        assert np.isfinite(own.scales).all()
        # Beyond 2**30 a sum of products might take the bias over the end of int32.
        assert np.abs(own.bias.astype(np.int64)).max() < 2**30
    assert all(grid.scale > 0 and np.isfinite(grid.scale) for grid in made.grids.values())
    assert np.isfinite(run(made.dequantised(), images)).all()


def assert_equal(first, second):
    assert first.grids == second.grids
    for name, weights in first.weights.items():
        for part in ("integers", "scales", "bias"):
            np.testing.assert_array_equal(getattr(weights, part), getattr(second.weights[name], part))


@pytest.mark.parametrize(("seed", "effort"), list(enumerate(EFFORTS)))
def test_int8_stays_near_the_float_network(seed, effort, net, photos, int8):
    graph, others = net(seed), photos(60, seed=2)
    made = solve(graph, photos(60), EFFORTS[effort])
    done = int8(made, others)
    assert_sound(made, others)
    # Eight bits are 50 dB for a tensor that fills its range; five layers leave most of it.
    assert snr_db(run(made.graph, others, "conv4"), done["conv4"]) > 40
    # A share of a hundredth may be cut off below; the rest is a few steps of 1/256.
    np.testing.assert_allclose(done[graph.output.name], run(graph, others), atol=0.03)


def test_every_tensor_has_a_grid_and_every_weighted_node_integers(net, photos):
    graph = net()
    made = solve(graph, photos(20), Options())
    assert set(made.grids) == {graph.input, *(node.name for node in graph.nodes)}
    assert set(made.weights) == {node.name for node in graph.weighted()}
    assert made.grids[graph.input] == INPUT_GRID
    assert made.grids[graph.output.name] == SOFTMAX_GRID
    logits = run(graph, photos(20), graph.logits)
    grid = made.grids[graph.logits]
    # The most likely class decides, and must not be cut off.
    assert (127 - grid.zero_point) * grid.scale >= logits.max() - grid.scale


def test_each_layer_is_reported(net, photos):
    graph, calls = net(), []
    solve(graph, photos(5), Options(), lambda: calls.append(1))
    assert len(calls) == len(graph.nodes)


def test_pixels_keep_their_values():
    pixels = np.arange(256, dtype=np.float32) / np.float32(127.5) - 1
    # White would be 128, which int8 has not: it is the one that shares a step, with its neighbour.
    assert len(np.unique(INPUT_GRID.quantise(pixels[:-1]))) == 255
    assert INPUT_GRID.quantise(np.zeros(1, np.float32))[0] == 0


def test_the_same_integers_every_time(net, photos):
    # Threads finish in any order; what they found is joined in one.
    first, second = (solve(net(), photos(45), Options()) for _ in range(2))
    assert_equal(first, second)


def test_the_same_integers_in_next_to_no_memory(net, photos, monkeypatch):
    # Without room for any tensor each layer is computed again from the images; with room for late ones, from the last.
    graph, images = net(tensor=24), photos(45)
    wanted = solve(graph, images, Options())
    fits = []
    for budget in (0, 12 * 12 * 20 * len(images)):
        monkeypatch.setattr(frontier.Frontier, "fits", watched(frontier.Frontier.fits, fits))
        monkeypatch.setattr(frontier, "BUDGET", budget)
        assert_equal(solve(graph, images, Options()), wanted)
    assert fits[: len(graph.nodes)] == [False] * len(graph.nodes)
    assert set(fits[len(graph.nodes) :]) == {True, False}


def watched(prop, results):
    def get(self):
        results.append(prop.fget(self))
        return results[-1]

    return property(get)


@pytest.mark.parametrize("pairs", [True, False])
def test_pairs_are_kept_where_they_are_asked_for(pairs, net, photos):
    made = solve(net(tensor=17), photos(20), Options(pairs=pairs))
    over = [
        head_room(made.weights[node.name].integers.reshape(-1, node.shape[-1])).over
        for node in made.graph.weighted()
        if node.op != "depthwise"
    ]
    assert (sum(over) == 0) is pairs


DULL = {
    "one colour": lambda photos: np.full((30, 12, 12, 3), 0.7, np.float32),
    "black": lambda photos: np.full((30, 12, 12, 3), -1, np.float32),
    "grey": lambda photos: np.zeros((30, 12, 12, 3), np.float32),
    "a single image": lambda photos: photos(1),
    "each its own colour": lambda photos: photos(30)[:, :1, :1].repeat(12, axis=1).repeat(12, axis=2),
}


@pytest.mark.parametrize("kind", DULL)
def test_calibration_that_shows_next_to_nothing(kind, net, photos, int8):
    graph, images = net(), DULL[kind](photos)
    made = solve(graph, images, Options())
    assert_sound(made, photos(10))
    # Of other images it cannot know; on its own it must be right.
    wanted = run(graph, images, graph.logits)
    step = made.grids[graph.logits].scale
    np.testing.assert_allclose(int8(made, images)[graph.logits], wanted, atol=0.1 * np.abs(wanted).max() + 2 * step)


def exchanged(graph, name, weight=1.0, bias=1.0, channel=slice(None)):
    node = graph[name]
    kernel, offset = node.kernel.copy(), node.offset.copy()
    kernel[..., channel] *= np.float32(weight)
    offset[channel] *= np.float32(bias)
    return graph.replace({name: replace(node, weight=kernel, bias=offset)})


@pytest.mark.parametrize(("name", "bias"), [("conv0", 0.0), ("depthwise1", 1.0), ("conv2", 1.0), ("head", 0.0)])
def test_a_channel_without_weights(name, bias, net, photos, int8):
    graph, images = exchanged(net(), name, 0, bias, 0), photos(30)
    made = solve(graph, images, Options())
    assert_sound(made, images)
    np.testing.assert_allclose(int8(made, images)[graph.output.name], run(graph, images), atol=0.03)


@pytest.mark.parametrize("name", ["conv0", "depthwise1", "conv4", "head"])
def test_a_layer_that_gives_nothing(name, net, photos, int8):
    graph, images = exchanged(net(), name, 0, 0), photos(20)
    made = solve(graph, images, Options())
    assert_sound(made, images)
    assert made.grids[name] == QuantParams.from_range(0, 0)
    wanted = run(graph, images, graph.logits)
    np.testing.assert_allclose(int8(made, images)[graph.logits], wanted, atol=2 * made.grids[graph.logits].scale)


@pytest.mark.parametrize("weight", [1e-8, 1e8])
def test_weights_of_another_order_of_magnitude(weight, net, photos):
    graph = exchanged(net(), "head", weight)
    assert_sound(solve(graph, photos(20), Options()), photos(5))


@pytest.mark.parametrize(
    ("name", "bad"), [("conv0", np.nan), ("depthwise3", np.inf), ("head", -np.inf), ("conv0", 3e38), ("head", 3e38)]
)
def test_outputs_that_are_not_finite_are_refused_by_name(name, bad, net, photos):
    graph = net()
    node = graph[name]
    kernel = np.full_like(node.kernel, bad)
    # Twenty images are two parts: the second must be heard, too.
    with pytest.raises(BuildError, match=f"layer '{name}' gives NaN or infinity") as caught:
        solve(graph.replace({name: replace(node, weight=kernel)}), 3 * photos(20) + 1, Options())
    assert "\n" not in str(caught.value)


def test_an_activation_does_not_hide_what_is_not_finite(net, photos):
    # Infinity goes into a ReLU6 and 6 comes out, which would look like a healthy layer.
    graph = net()
    first = graph["conv0"]
    bias = first.offset.copy()
    bias[0] = np.inf
    with pytest.raises(BuildError, match="layer 'conv0'"):
        solve(graph.replace({"conv0": replace(first, bias=bias)}), photos(4), Options())


def layer(inputs, places):
    side = int(places**0.5)
    return Node("n", "conv", ("x",), (side, side, 8), np.zeros((1, 1, inputs, 8), np.float32), np.zeros(8, np.float32))


def test_regularisation_by_hand():
    # 1024 inputs seen at 49 places of 100 images: 700 independent samples. 16 * 1024 / 700 and 1024 / 700.
    assert Options().regularisation(layer(1024, 49), 100) == pytest.approx((16 * 1024 / 700, 1024 / 700))
    # 32 inputs at 112 * 112 places: 11,200 samples are enough, and the least holds.
    assert Options().regularisation(layer(32, 112**2), 100) == (0.2, 0.01)


@given(st.integers(1, 2048), st.integers(1, 12544), st.integers(1, 1000))
def test_more_images_never_regularise_more(inputs, places, images):
    node = layer(inputs, places)
    few, many = (Options().regularisation(node, count) for count in (images, 2 * images))
    assert few[0] >= many[0] >= 0.2
    assert few[1] >= many[1] >= 0.01


def test_a_network_of_one_layer():
    weight = np.random.default_rng(0).normal(size=(1, 1, 3, 4)).astype(np.float32)
    node = Node("only", "conv", ("image",), (4, 4, 4), weight, np.zeros(4, np.float32))
    graph = Graph("one", "image", (4, 4, 3), (node,))
    images = np.random.default_rng(1).uniform(-1, 1, (8, 4, 4, 3)).astype(np.float32)
    assert snr_db(run(graph, images), run(solve(graph, images, Options()).dequantised(), images)) > 35


def test_of_a_large_folder_only_the_chosen_images_are_decoded(tmp_path, monkeypatch):
    for index in range(100):
        (tmp_path / f"{index:05}.png").touch()
    opened = []

    def decode(path):
        from PIL import Image

        opened.append(path.stem)
        return Image.new("RGB", (8, 8))

    monkeypatch.setattr(pictures, "decode", decode)
    loaded = prepare.load_folder(tmp_path, Preprocess((8, 8)), 10)
    assert loaded.pixels.shape == (10, 8, 8, 3)
    assert opened == [f"{index:05}" for index in range(0, 100, 10)]
