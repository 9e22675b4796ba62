"""Which layers of the Keras models belong to which block."""

from __future__ import annotations

import pytest

from mobilenet_edge.model import layers
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.training.tune import block_of


@pytest.mark.parametrize(("family", "count"), [("mobilenet_v1", 13), ("mobilenet_v2", 17)])
def test_every_layer_has_its_block(family, count):
    spec = ModelSpec(0.5, 96, 3, family)
    table = layers.table(spec)
    numbers = [block_of(layer.name) for layer in table]
    assert numbers == [block_of(layer.norm) for layer in table if layer.norm] + [None]
    assert numbers[0] == 0
    known = [number for number in numbers if number is not None]
    assert known == sorted(known)
    assert set(known) == set(range(count + 1))
    assert len(layers.blocks(spec)) == count
    # A block ends where the next one begins: each has one depthwise layer.
    depthwise = [block_of(layer.name) for layer in table if layer.kind == "depthwise"]
    assert depthwise == list(range(1, count + 1))


def test_layers_behind_the_blocks_have_none():
    assert [block_of(name) for name in ("Conv_1", "Conv_1_bn", "conv_preds", "predictions", "dropout")] == [None] * 5
