"""The published figures hang together, and only published variants have them."""

import pytest

from mobilenet_edge.model.layers import macs, parameters
from mobilenet_edge.model.published import FIGURES, lookup
from mobilenet_edge.model.spec import PUBLISHED, PUBLISHED_ALPHAS, PUBLISHED_RESOLUTIONS, ModelSpec

V1 = FIGURES["mobilenet_v1"]
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
    ("alpha", "resolution", "figures"),
    [
        (1.0, 224, (70.9, 89.9, 69.7, 89.5, 24.0, 13.0)),
        (0.75, 128, (62.1, 83.9, 59.8, 82.8, 5.5, 3.1)),
        (0.5, 160, (59.1, 81.9, 57.7, 81.3, 4.4, 2.6)),
        (0.25, 128, (41.5, 66.3, 39.9, 65.8, 1.2, 0.8)),
    ],
)
def test_figures_are_those_of_the_source(alpha, resolution, figures):
    found = lookup(ModelSpec(alpha, resolution))
    assert (
        found.top1,
        found.top5,
        found.qat_top1,
        found.qat_top5,
        found.pixel3_ms,
        found.qat_pixel3_ms,
    ) == figures


@pytest.mark.parametrize("spec", [ModelSpec(0.33, 160), ModelSpec(0.5, 96), ModelSpec(0.5, 160, classes=10)])
def test_other_variants_have_none(spec):
    assert lookup(spec) is None


def test_no_figure_is_a_slip_of_the_pen():
    for found in V1.values():
        assert found.top1 < found.top5 < 100
        assert found.qat_top1 < found.qat_top5 < 100
        # Retraining loses something, and never more than 2.5 points.
        assert 0 < found.top1 - found.qat_top1 < 2.5
        assert 0 < found.qat_pixel3_ms < found.pixel3_ms


@pytest.mark.parametrize("figure", ["top1", "qat_top1", "pixel3_ms", "qat_pixel3_ms"])
def test_wider_and_sharper_is_better_and_slower(figure):
    for alpha in PUBLISHED_ALPHAS:
        values = [getattr(V1[alpha, side], figure) for side in PUBLISHED_RESOLUTIONS]
        assert values == sorted(values)
    for side in PUBLISHED_RESOLUTIONS:
        values = [getattr(V1[alpha, side], figure) for alpha in PUBLISHED_ALPHAS]
        assert values == sorted(values)
