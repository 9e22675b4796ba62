"""The published figures hang together, and only published variants have them."""

from itertools import pairwise, product

import pytest

from mobilenet_edge.model.layers import macs, parameters
from mobilenet_edge.model.published import FIGURES, Published, lookup
from mobilenet_edge.model.spec import FAMILIES, PUBLISHED, ModelSpec

# MACs and parameters in millions of TF-slim's mobilenet/README.md.
V2_COSTS = {
    (1.4, 224): (582, 6.06), (1.3, 224): (509, 5.34), (1.0, 224): (300, 3.47), (1.0, 96): (56, 3.47),
    (0.75, 224): (209, 2.61), (0.75, 160): (107, 2.61), (0.5, 224): (97, 1.95), (0.5, 128): (32, 1.95),
    (0.35, 224): (59, 1.66), (0.35, 96): (11, 1.66),
}  # fmt: skip


def test_there_is_a_figure_for_each_published_variant_and_no_other():
    assert {family: figures.keys() for family, figures in FIGURES.items()} == PUBLISHED


@pytest.mark.parametrize(("variant", "costs"), V2_COSTS.items())
def test_costs_of_v2_are_the_published_ones(variant, costs):
    spec = ModelSpec(*variant, family="mobilenet_v2")
    # The page cuts off or rounds to whole millions, and counts neither batch norm nor biases of the body.
    assert macs(spec) / 1e6 == pytest.approx(costs[0], abs=1)
    assert parameters(spec) / 1e6 == pytest.approx(costs[1], abs=0.03)


@pytest.mark.parametrize(
    ("spec", "figures"),
    [
        (ModelSpec(1.0, 224), (70.9, 89.9, 69.7, 89.5, 24.0, 13.0)),
        (ModelSpec(0.25, 128), (41.5, 66.3, 39.9, 65.8, 1.2, 0.8)),
        (ModelSpec(1.4, 224, family="mobilenet_v2"), (75.0, 92.5)),
        (ModelSpec(0.35, 96, family="mobilenet_v2"), (45.5, 70.4)),
    ],
)
def test_figures_are_those_of_the_source(spec, figures):
    assert lookup(spec) == Published(*figures)


@pytest.mark.parametrize(
    "spec",
    [
        ModelSpec(0.33, 160),
        ModelSpec(0.5, 96),
        ModelSpec(0.5, 160, classes=10),
        ModelSpec(0.5, 160, channels=1),
        ModelSpec(1.4, 192, family="mobilenet_v2"),
    ],
)
def test_other_variants_have_none(spec):
    assert lookup(spec) is None


def test_no_figure_is_a_slip_of_the_pen():
    for each in (each for family in FAMILIES for each in FIGURES[family].values()):
        assert each.top1 < each.top5 < 100
    for each in FIGURES["mobilenet_v1"].values():
        assert each.qat_top1 < each.qat_top5 < 100
        # Retraining loses something, and never more than 2.5 points.
        assert 0 < each.top1 - each.qat_top1 < 2.5
        assert 0 < each.qat_pixel3_ms < each.pixel3_ms


@pytest.mark.parametrize(
    ("family", "figure"),
    [*product(FAMILIES, ["top1", "top5"]), *product(["mobilenet_v1"], ["qat_top1", "pixel3_ms", "qat_pixel3_ms"])],
)
def test_wider_and_sharper_is_better_and_slower(family, figure):
    known = FIGURES[family]
    for fixed in (0, 1):  # the alpha, then the resolution
        for value in {each[fixed] for each in known}:
            line = [getattr(known[each], figure) for each in sorted(known) if each[fixed] == value]
            assert all(below < above for below, above in pairwise(line))
