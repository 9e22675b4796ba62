"""The arithmetic is exact: against the paper, published figures, and Keras itself."""

import json
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenet_edge.model import layers
from mobilenet_edge.model.spec import BODY, ModelSpec

SPECS = st.builds(
    ModelSpec,
    alpha=st.floats(1 / 32, 2.0),
    resolution=st.sampled_from(range(32, 1025, 32)),
    classes=st.integers(1, 2000),
)


def test_there_are_28_layers_under_their_keras_names():
    names = [layer.name for layer in layers.table(ModelSpec())]
    body = [f"conv_{kind}_{number}" for number in range(1, 14) for kind in ("dw", "pw")]
    assert names == ["conv1", *body, "conv_preds"]


def test_sides_are_those_of_table_1():
    sides = [layer.size for layer in layers.table(ModelSpec())]
    assert sides == [112, *[112] * 2, *[56] * 4, *[28] * 4, *[14] * 12, *[7] * 4, 1]


def test_one_pointwise_layer_in_sight():
    layer = next(each for each in layers.table(ModelSpec(0.5, 160)) if each.name == "conv_pw_2")
    assert (layer.inputs, layer.outputs, layer.kernel, layer.size) == (32, 64, 1, 40)
    assert layer.weights == 32 * 64
    assert layer.parameters == 32 * 64 + 64
    assert layer.keras_parameters == 32 * 64 + 4 * 64
    assert layer.macs == 32 * 64 * 40 * 40
    assert layer.activations == 64 * 40 * 40
    assert layer.input_elements == 32 * 40 * 40


def test_one_depthwise_layer_in_sight():
    layer = next(each for each in layers.table(ModelSpec(0.5, 160)) if each.name == "conv_dw_2")
    assert (layer.inputs, layer.outputs, layer.kernel, layer.stride, layer.size) == (32, 32, 3, 2, 40)
    assert layer.weights == 9 * 32
    assert layer.macs == 9 * 32 * 40 * 40
    assert layer.input_elements == 32 * 80 * 80


@pytest.mark.parametrize(
    ("alpha", "resolution", "millions"),
    [
        (1.0, 224, 568.7), (1.0, 192, 418.1), (1.0, 160, 290.7), (1.0, 128, 186.4),
        (0.75, 224, 325.4), (0.75, 192, 239.3), (0.75, 160, 166.4), (0.75, 128, 106.8),
        (0.5, 224, 149.5), (0.5, 192, 110.0), (0.5, 160, 76.5), (0.5, 128, 49.2),
        (0.25, 224, 41.0), (0.25, 192, 30.2), (0.25, 160, 21.1), (0.25, 128, 13.6),
    ],
)  # fmt: skip
def test_macs_of_the_published_variants(alpha, resolution, millions):
    assert round(layers.macs(ModelSpec(alpha, resolution)) / 1e6, 1) == millions


def test_full_size_macs_are_body_and_head():
    # 1024 channels to 1000 classes, once.
    assert layers.macs(ModelSpec()) == 567_716_352 + 1024 * 1000


@pytest.mark.parametrize(
    ("spec", "weights", "macs"),
    [(ModelSpec(), 3_185_088, 567_716_352), (ModelSpec(0.75, 128), 1_800_144, 106_002_432)],
)
def test_body_without_head(spec, weights, macs):
    body = layers.table(spec)[:-1]
    assert sum(layer.weights for layer in body) == weights
    assert sum(layer.macs for layer in body) == macs


@pytest.mark.parametrize(
    ("alpha", "channels", "keras", "unnormalised"),
    [
        (1.0, 10_944, 4_253_864, 4_210_088),
        (0.75, 8_208, 2_601_976, 2_569_144),
        (0.5, 5_472, 1_342_536, 1_320_648),
        (0.25, 2_736, 475_544, 464_600),
    ],
)
def test_parameters_of_the_published_widths(alpha, channels, keras, unnormalised):
    spec = ModelSpec(alpha)
    assert layers.keras_parameters(spec) == keras
    # Batch norm, four values a channel, can be taken out; folding it leaves a bias a channel behind, which runs and is
    # counted.
    assert keras - 4 * channels == unnormalised
    assert layers.parameters(spec) == unnormalised + channels


def test_shares_are_those_of_table_2():
    table = layers.table(ModelSpec())
    macs, weights = sum(each.macs for each in table), sum(each.weights for each in table)
    shares = {}
    for kind in layers.KINDS:
        members = [each for each in table if each.kind == kind]
        work, size = sum(each.macs for each in members), sum(each.weights for each in members)
        shares[kind] = (round(100 * work / macs, 2), round(100 * size / weights, 2))
    assert shares == {
        # The paper prints 1.19 for the first layer's work, and its column sums to 99.29: two digits changed places.
        "convolution": (1.91, 0.02),
        "depthwise": (3.06, 1.06),
        "pointwise": (94.86, 74.59),
        "classifier": (0.18, 24.33),
    }


def test_a_block_in_the_papers_terms():
    block = layers.blocks(ModelSpec())[6]
    kernel, inputs, outputs, side = 3, 512, 512, 14
    assert block.standard_macs == kernel**2 * inputs * outputs * side**2
    assert block.macs == kernel**2 * inputs * side**2 + inputs * outputs * side**2
    assert block.ratio == 1 / 512 + 1 / 9


@given(SPECS)
def test_the_ratio_is_what_the_costs_say(spec):
    blocks = layers.blocks(spec)
    assert len(blocks) == len(BODY)
    for block in blocks:
        # Both sides are exact but for the last division.
        assert block.macs / block.standard_macs == pytest.approx(block.ratio, rel=1e-12)


@given(SPECS)
def test_each_layer_takes_what_the_one_before_gives(spec):
    table = layers.table(spec)
    assert table[0].input_elements == 3 * spec.resolution**2
    for before, after in pairwise(table[:-1]):
        assert after.input_elements == before.activations
    # The mean of each channel lies between the last two.
    assert table[-1].input_elements == table[-2].outputs


@given(SPECS)
def test_totals_are_sums_and_floors_are_below_any_file(spec):
    table = layers.table(spec)
    weights, biases = sum(each.weights for each in table), sum(each.biases for each in table)
    assert layers.parameters(spec) == weights + biases
    assert layers.float32_bytes(spec) == 4 * weights + 4 * biases
    assert layers.int8_bytes(spec) == weights + 4 * biases + 4 * biases
    assert layers.keras_parameters(spec) == layers.parameters(spec) + 3 * (biases - spec.classes)


def test_floors_are_near_real_files():
    # 0.5/160 as TensorFlow's converter writes float32 and as onnxruntime's quantiser writes per-channel int8: a floor
    # lies below, and near enough to plan with.
    spec = ModelSpec(0.5, 160)
    assert 0.99 * 5_315_748 < layers.float32_bytes(spec) < 5_315_748
    assert 0.94 * 1_445_148 < layers.int8_bytes(spec) < 1_445_148


def test_the_peak_is_the_first_pointwise_layer_at_full_size():
    # 112 x 112 x 32 in, 112 x 112 x 64 out: nothing later is as large.
    assert layers.peak_activations(ModelSpec()) == 112**2 * (32 + 64)


KERAS = """
import json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
found = []
for alpha, side, classes in json.loads(sys.argv[1]):
    model = keras.applications.MobileNet(weights=None, alpha=alpha, input_shape=(side, side, 3), classes=classes)
    shapes = {each.name: list(each.output.shape[1:]) for each in model.layers}
    found.append([model.count_params(), shapes])
print(json.dumps(found))
"""


@pytest.mark.slow
def test_counts_and_shapes_are_those_of_keras():
    # Widths that are not whole: 0.33 * 32 = 10.56, 0.7 * 64 = 44.8, 1.3 * 512 = 665.6.
    asked = [(0.33, 128, 1000), (0.7, 160, 10), (1.3, 64, 1000), (0.05, 32, 7)]
    done = subprocess.run(
        [sys.executable, "-c", KERAS, json.dumps(asked)], capture_output=True, text=True, check=True, timeout=300
    )
    for variant, (count, shapes) in zip(asked, json.loads(done.stdout.splitlines()[-1]), strict=True):
        spec = ModelSpec(*variant)
        assert layers.keras_parameters(spec) == count
        assert {each.name: shapes[each.name] for each in layers.table(spec)} == {
            each.name: [each.size, each.size, each.outputs] for each in layers.table(spec)
        }
