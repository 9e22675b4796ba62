"""One variant explained: each figure is the arithmetic's, and totals come last."""

import pytest

from mobilenet_edge.model import layers
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.report import explain
from mobilenet_edge.units import format_bytes, format_count

SPEC = ModelSpec(0.5, 160)


@pytest.fixture(scope="module")
def tables():
    """Read the three tables back as lists of rows of cells."""
    found = [block for block in explain.text(SPEC).split("\n\n") if block.startswith("|")]
    return [[[cell.strip() for cell in line.strip("|").split("|")] for line in block.split("\n")] for block in found]


def test_a_block_is_set_against_the_standard_convolution(tables):
    # 10 x 10 x 256 to 256: 9 * 256 * 256 * 100 = 58,982,400 against 230,400 + 6,553,600; 1/256 + 1/9 = 0.1150.
    assert tables[0][2 + 6] == ["conv_dw_7 + pw", "256", "256", "10x10x256", "59.0 M", "6.78 M", "0.1150"]
    assert len(tables[0]) == 2 + 13 + 1


def test_the_blocks_total(tables):
    blocks = layers.blocks(SPEC)
    standard, separable = sum(each.standard_macs for each in blocks), sum(each.macs for each in blocks)
    assert tables[0][-1] == [
        "total", "", "", "", format_count(standard), format_count(separable), f"{separable / standard:.4f}",
    ]  # fmt: skip


def test_every_layer_has_a_line(tables):
    assert [line[0] for line in tables[1][2:]] == [*(layer.name for layer in layers.table(SPEC)), "total"]
    # 512 * 512 weights, once for each of 5 * 5 pixels.
    assert tables[1][-3] == ["conv_pw_13", "1x1 /1", "5x5x512", "6.55 M", "8.6", "262.1 k", "19.9", "12.8 kB", "1.0"]


def test_shares_sum_to_the_whole(tables):
    for body, first in ((tables[1][2:-1], 4), (tables[2][2:-1], 3)):
        for column in (first, first + 2, first + 4):
            # Each of up to 28 shares is rounded to a tenth, half of that off at most.
            assert sum(float(line[column]) for line in body) == pytest.approx(100, abs=0.05 * len(body))


def test_kinds_sum_to_all_layers(tables):
    assert [line[0] for line in tables[2][2:]] == [*layers.KINDS, "total"]
    assert sum(int(line[1]) for line in tables[2][2:-1]) == int(tables[2][-1][1]) == 28


def test_totals_are_last_and_exact():
    totals = explain.text(SPEC).split("\n\n")[-1]
    assert f"{layers.macs(SPEC):,}" in totals
    assert "1,326,120 (1,342,536 in Keras, batch norm unfolded)" in totals
    assert f"{layers.float32_bytes(SPEC):,} bytes at least" in totals
    assert f"{layers.int8_bytes(SPEC):,} bytes at least" in totals
    assert f"{format_bytes(layers.peak_activations(SPEC))} in int8" in totals
    assert "59.1 % float32, 57.7 % uint8 after QAT (not measured)" in totals


@pytest.mark.parametrize("spec", [ModelSpec(1 / 32, 32, 1), ModelSpec(2.0, 1024), ModelSpec(0.33, 96)])
def test_any_variant_can_be_explained(spec):
    text = explain.text(spec)
    assert text.startswith(f"{spec.name}: ")
    assert text.endswith("none")


def test_it_fits_a_wide_terminal():
    assert max(map(len, explain.text(ModelSpec(2.0, 1024)).split("\n"))) <= 120
