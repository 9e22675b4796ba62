"""onnxruntime's two passes against numpy's, on which the quantiser's own tests stand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mobilenet_edge.conversion import passes
from mobilenet_edge.evaluation.scores import snr_db
from mobilenet_edge.graph.run import run
from mobilenet_edge.quantise import QuantParams, Weights
from mobilenet_edge.quantise.engine import REFERENCE
from mobilenet_edge.quantise.places import Places
from mobilenet_edge.quantise.solve import INPUT_GRID, Options, solve

pytest.importorskip("onnxruntime")


@pytest.mark.parametrize("activation", ["relu6", "relu", "linear"])
@pytest.mark.parametrize("samples", [1000, 40])
def test_both_observe_the_same(activation, samples, net, photos):
    graph, images = net(activation=activation), photos(17)
    places = {node.name: Places.choose(node, 17, samples) for node in graph.weighted()}
    ours, theirs = (each.observe(graph, images, places) for each in (passes.OrtEngine(), REFERENCE))
    assert ours.keys() == theirs.keys()
    for name, wanted in theirs.items():
        assert ours[name].high == pytest.approx(wanted.high, rel=1e-5, abs=1e-5)
        # Zero is on every grid, so how far above it a ReLU stays makes no difference.
        assert min(ours[name].low, 0) == pytest.approx(min(wanted.low, 0), rel=1e-5, abs=1e-5)
        np.testing.assert_allclose(ours[name].pixels, wanted.pixels, rtol=1e-4, atol=1e-4)


def test_both_collect_the_same(net, photos):
    graph, images = net(), photos(23)
    names = {node.name for node in graph.nodes[:4]}
    ours, theirs = (each.collect(graph, images, names) for each in (passes.OrtEngine(), REFERENCE))
    for name in names:
        for part in ("lows", "highs", "deviation"):
            mine, truth = getattr(ours[name], part), getattr(theirs[name], part)
            np.testing.assert_allclose(mine, truth, rtol=1e-3, atol=1e-3)


def nearest(node, source):
    """Integers of a node, each the nearest."""
    scales = np.abs(node.kernel).reshape(-1, node.shape[-1]).max(axis=0) / np.float32(127)
    integers = np.rint(node.kernel / scales).astype(np.int8)
    return Weights(integers, scales, np.rint(node.offset / (scales * source.scale)).astype(np.int32))


@pytest.mark.parametrize("ends", [(0, 6), (-3, 9)])
def test_layers_differ_by_ties_at_most(ends, net, photos):
    values, params = INPUT_GRID.quantise(photos(20)), INPUT_GRID
    for node in net(tensor=17).nodes[:5]:
        # A grid that reaches beyond the activation must not let through what it cuts off.
        target, weights = QuantParams.from_range(*ends), nearest(node, params)
        ours, theirs = (
            each.layer(node, [params], target, weights)([values]) for each in (passes.OrtEngine(), REFERENCE)
        )
        difference = np.abs(ours.astype(int) - theirs)
        assert difference.max() <= 1
        assert (difference > 0).mean() < 1e-3
        values, params = theirs, target


def test_both_quantise_alike(net, photos, int8):
    graph, images = net(), photos(45)
    options = Options(pairs=False)  # the order of channels stays
    made = [solve(graph, images, options, engine=each) for each in (passes.OrtEngine(), REFERENCE)]
    wanted = run(graph, images, "conv4")
    ours, theirs = (snr_db(wanted, int8(each, images)["conv4"]) for each in made)
    assert ours > 30
    assert ours == pytest.approx(theirs, abs=1)
    same = [(made[0].weights[name].integers == made[1].weights[name].integers).mean() for name in made[0].weights]
    # One rounding that falls otherwise may change many behind it.
    assert np.median(same) > 0.99


def test_the_number_of_threads_changes_no_bit(net, photos, monkeypatch):
    results = []
    for cpus in ([0], [0, 1, 2, 3]):
        monkeypatch.setattr("mobilenet_edge.cpus.available", lambda cpus=cpus: cpus)
        results.append(solve(net(), photos(45), Options(), engine=passes.OrtEngine()))
    first, second = results
    assert first.grids == second.grids
    for name, weights in first.weights.items():
        for part in ("integers", "scales", "bias"):
            np.testing.assert_array_equal(getattr(weights, part), getattr(second.weights[name], part))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_seen_behind_an_activation(bad, net, photos):
    graph = net()
    first = graph["conv0"]
    bias = first.offset.copy()
    bias[0] = bad
    graph = graph.replace({"conv0": replace(first, bias=bias)})
    places = {node.name: Places.choose(node, 4, 100) for node in graph.weighted()}
    assert not passes.OrtEngine().observe(graph, photos(4), places)["conv0"].finite


def test_without_onnxruntime_numpy_computes(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    assert passes.choose() is REFERENCE
