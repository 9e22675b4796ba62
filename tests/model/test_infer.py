"""The first batch norm against pictures: statistics are computed here by running the convolution itself."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from mobilenet_edge.data import images, pixels, prepare
from mobilenet_edge.data.pixel_options import PixelOptions
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.graph import Node
from mobilenet_edge.graph.run import linear
from mobilenet_edge.model import infer
from mobilenet_edge.model.norm import Norm

SIDE = 32
RULE = Preprocess((SIDE, SIDE))
PADDING = ((0, 1), (0, 1))


@cache
def photographs(count: int, seed: int = 0) -> np.ndarray:
    """Smooth spots with the brightness, contrast and warmth of photographs."""
    random = np.random.default_rng(seed)
    made = np.zeros((count, SIDE, SIDE, 3))
    for cells in (2, 4, 8, 16):
        spots = random.normal(0, 45 / cells**0.5, (count, cells, cells, 3)) + random.normal(0, 25, (count, 1, 1, 1))
        made += spots.repeat(SIDE // cells, 1).repeat(SIDE // cells, 2)
    return np.clip(made * (1.0, 0.9, 0.7) + (125, 115, 100), 0, 255).astype(np.uint8)


@cache
def trained(pixels: str, colour: str | None = None, channels: int = 3) -> Norm:
    """A convolution whose batch norm saw other pictures under a rule."""
    random = np.random.default_rng(1)
    rule = PixelOptions(pixels=pixels, colour=colour).apply(RULE)
    scale = max(rule.range[1] - rule.range[0], 1) / 2
    kernel = (random.normal(0, 0.3, (3, 3, channels, 12)) / scale).astype(np.float32)
    node = Node("conv1", "conv", ("image",), (16, 16, 12), kernel, random.normal(0, 0.1, 12), 2, PADDING)
    seen = photographs(200, seed=2)
    x = prepare.scale(seen[..., ::-1] if rule.colour == "bgr" else seen, rule)
    outputs = linear(node, [x]).reshape(-1, 12)
    return Norm(node, outputs.mean(0), outputs.var(0))


@pytest.mark.parametrize("name", [*pixels.NAMED])
def test_the_rule_of_training_is_found(name):
    norm = trained(name)
    found = infer.infer(norm, photographs(40), RULE)
    rule = found.apply(RULE)
    assert (found.best.pixels, pixels.name(rule), rule.of("pixels")) == (name, name, "inferred")
    assert rule.evidence.endswith(f" for {found.runner_up.pixels}")


def test_moments_under_a_rule_are_those_of_the_convolution_itself():
    norm, seen = trained("imagenet"), photographs(20)
    rule = PixelOptions(pixels="mean=0.3,0.4,0.6,std=0.2", colour="bgr").apply(RULE)
    used = next(each for each in infer.rank(norm, seen, rule) if each.rule is rule)
    outputs = linear(norm.node, [prepare.scale(seen[..., ::-1], rule)]).reshape(-1, 12).astype(np.float64)
    wanted = norm.divergence(outputs.mean(0), outputs.var(0))
    assert (used.mean, used.median) == pytest.approx((wanted.mean(), np.median(wanted)), rel=0.05)


def test_a_rule_that_training_contradicts_is_named_with_the_better_one():
    norm, stated = trained("0..1"), PixelOptions(pixels="0..255").apply(RULE)
    found = infer.infer(norm, photographs(40), stated)
    assert found.objection(stated).startswith("--pixels 0..1")
    assert found.objection(PixelOptions(pixels="0..1").apply(RULE)) is None


@pytest.mark.parametrize(
    "seen",
    [photographs(3), 255 - (255 - photographs(40)) // 5, photographs(40) // 8],
    ids=["few", "white", "dark"],
)
def test_it_abstains_on_pictures_that_say_too_little(seen):
    found = infer.infer(trained("0..1"), seen, RULE)
    assert (found.best, found.objection(RULE), found.apply(RULE).of("pixels")) == (None, None, "assumed")


def test_it_abstains_on_statistics_that_no_rule_comes_near():
    norm, random = trained("-1..1"), np.random.default_rng(5)
    drawn = replace(norm, mean=random.normal(0, 2, 12), variance=random.uniform(0.3, 2, 12))
    found = infer.infer(drawn, photographs(40), RULE)
    assert (found.best, found.objection(PixelOptions(pixels="0..255").apply(RULE))) == (None, None)


def test_a_batch_norm_that_was_never_trained_says_nothing():
    norm = trained("-1..1")
    assert infer.infer(replace(norm, mean=np.zeros(12), variance=np.ones(12)), photographs(40), RULE) is None


def test_dead_channels_are_left_out():
    norm = trained("-1..1")
    kernel, variance = norm.node.kernel.copy(), norm.variance.copy()
    kernel[..., 3], variance[3] = 0, 1e-9
    dead = replace(norm, node=replace(norm.node, weight=kernel), variance=variance)
    assert len(dead.divergence(norm.mean, norm.variance)) == 11
    assert infer.infer(dead, photographs(40), RULE).best.pixels == "-1..1"


def test_grey_pictures_leave_the_order_of_colours_open():
    grey = photographs(40).mean(-1, keepdims=True).astype(np.uint8).repeat(3, -1)
    assert infer.infer(trained("-1..1"), grey, RULE).colour is None


@pytest.mark.data
@pytest.mark.parametrize("count", [10, 30, 100])
@pytest.mark.parametrize(
    ("file", "side", "expected"),
    [
        ("weights/mobilenet_2_5_224_tf.h5", 224, "-1..1"),
        ("weights/mobilenet_2_5_224_tf.h5", 96, "-1..1"),
        ("models/vww_96.h5", 96, "0..1"),
        ("weights/mobilenet_2_5_128_tf.h5", 128, None),
        ("weights/mobilenet_5_0_160_tf.h5", 160, None),
    ],
)
def test_real_weights_tell_their_pixels_or_nothing(data, count, file, side, expected):
    h5py = pytest.importorskip("h5py")
    arrays = {}
    with h5py.File(data / file) as opened:
        opened.visititems(lambda name, item: arrays.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
    conv, bn = ("conv1", "conv1_bn") if "mobilenet" in file else ("conv2d", "batch_normalization")
    parts = {
        key: next(value for name, value in arrays.items() if f"{layer}/{key}" in f"{name}")
        for layer, key in ((conv, "kernel"), (bn, "moving_mean"), (bn, "moving_variance"))
    }
    bias = next(
        (value for name, value in arrays.items() if f"{conv}/bias" in name), np.zeros(len(parts["moving_mean"]))
    )
    node = Node(conv, "conv", ("image",), (1, 1, len(bias)), parts["kernel"], bias, 2, PADDING)
    rule = Preprocess((side, side))
    seen = prepare.load(images.spread(images.find(data / "images"), count), rule).pixels
    found = infer.infer(Norm(node, parts["moving_mean"], parts["moving_variance"]), seen, rule)
    assert (found.best and found.best.pixels) == expected
    if count == 100 and expected:
        assert found.colour == "rgb"
    for name in pixels.NAMED if expected is None else (expected,):
        stated = PixelOptions(pixels=name).apply(rule)
        assert (
            infer.infer(Norm(node, parts["moving_mean"], parts["moving_variance"]), seen, stated).objection(stated)
            is None
        )
