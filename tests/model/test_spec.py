"""A spec is named, read back, and refused where no model could be built."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenet_edge import schema
from mobilenet_edge.errors import UsageError
from mobilenet_edge.model.spec import BODY, FAMILIES, ModelSpec


def test_the_default_is_the_papers_full_model():
    spec = ModelSpec()
    assert (spec.alpha, spec.resolution, spec.classes) == (1.0, 224, 1000)
    assert spec.rho == 1.0
    assert spec.name == "mobilenet_v1-a1.00-r224"


def test_rho_is_the_side_over_224():
    assert ModelSpec(0.5, 160).rho == 160 / 224


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        (ModelSpec(0.5, 160), "mobilenet_v1-a0.50-r160"),
        (ModelSpec(0.25, 128), "mobilenet_v1-a0.25-r128"),
        (ModelSpec(2.0, 1024), "mobilenet_v1-a2.00-r1024"),
        (ModelSpec(0.5, 160, 10), "mobilenet_v1-a0.50-r160-c10"),
        (ModelSpec(0.5, 160, family="mobilenet_v2"), "mobilenet_v2-a0.50-r160"),
        # Two decimals would give it the name of another model.
        (ModelSpec(0.333, 96), "mobilenet_v1-a0.333-r96"),
    ],
)
def test_names(spec, name):
    assert spec.name == name
    assert ModelSpec.from_name(name) == spec


@given(st.floats(1 / 32, 2.0), st.sampled_from(range(32, 1025, 32)), st.integers(1, 10_000))
def test_every_name_is_read_back_and_is_its_own(alpha, resolution, classes):
    for family, channels in product(FAMILIES, (3, 1)):
        spec = ModelSpec(alpha, resolution, classes, family, channels)
        assert ModelSpec.from_name(spec.name) == spec


def test_a_record_of_before_there_were_families_is_a_v1():
    assert schema.from_dict(ModelSpec, {"alpha": 0.5, "resolution": 160, "classes": 7, "later": 1}) == ModelSpec(
        0.5, 160, 7
    )
    with pytest.raises(UsageError, match="known: mobilenet_v1, mobilenet_v2"):
        ModelSpec(family="mobilenet_v3")


@pytest.mark.parametrize(
    ("alpha", "filters", "width"), [(1.0, 24, 24), (0.35, 16, 8), (0.35, 24, 8), (0.5, 24, 16), (1.4, 320, 448)]
)
def test_widths_of_v2_are_multiples_of_8_at_most_a_tenth_below(alpha, filters, width):
    assert ModelSpec(alpha, family="mobilenet_v2").width(filters) == width


@pytest.mark.parametrize(
    "name", ["", "mobilenet_v3-a0.50-r160", "mobilenet_v1-a0.50-r160.int8", "mobilenet_v1-a1-r160", "resnet"]
)
def test_other_names_are_not_specs(name):
    assert ModelSpec.from_name(name) is None


@pytest.mark.parametrize("alpha", [0.0, -0.5, 2.01, math.nan, math.inf, -math.inf])
def test_alpha_out_of_range_is_refused(alpha):
    with pytest.raises(UsageError, match=r"alpha must be above 0 and at most 2, got .*; published: 0\.25, 0\.5"):
        ModelSpec(alpha)


def test_an_alpha_without_filters_is_refused_with_the_smallest():
    with pytest.raises(UsageError, match=r"the smallest is 0\.03125"):
        ModelSpec(0.031)
    assert ModelSpec(0.03125).width(32) == 1


@pytest.mark.parametrize(
    ("resolution", "nearest"),
    [(100, "96 and 128"), (0, "32"), (-64, "32"), (31, "32"), (2000, "1024"), (1025, "1024"), (225, "224 and 256")],
)
def test_rho_out_of_line_is_refused_with_the_nearest(resolution, nearest):
    with pytest.raises(UsageError, match=rf"got {resolution}: .*; nearest: {nearest}$"):
        ModelSpec(0.5, resolution)


@pytest.mark.parametrize("classes", [0, -1])
def test_a_model_needs_a_class(classes):
    with pytest.raises(UsageError, match="classes must be at least 1"):
        ModelSpec(0.5, 160, classes)


def test_every_allowed_side_is_even_at_every_stride():
    # The reason for multiples of 32: 'same' padding equals Keras's own only on even inputs.
    for resolution in range(32, 1025, 32):
        size = ModelSpec(0.5, resolution).resolution
        for stride in (2, *(stride for stride, _ in BODY)):
            if stride == 2:
                assert size % 2 == 0
                size //= 2


@pytest.mark.parametrize(
    ("alpha", "filters", "width"), [(0.33, 32, 10), (0.7, 64, 44), (1.3, 512, 665), (0.25, 1024, 256), (0.29, 100, 28)]
)
def test_widths_are_cut_not_rounded(alpha, filters, width):
    assert ModelSpec(alpha).width(filters) == width


@pytest.mark.parametrize(
    ("spec", "published"),
    [
        (ModelSpec(0.25, 128), True),
        (ModelSpec(1.0, 224), True),
        (ModelSpec(0.3, 224), False),
        (ModelSpec(0.25, 96), False),
        (ModelSpec(0.25, 128, 10), False),
    ],
)
def test_published(spec, published):
    assert spec.published is published


def test_specs_sort_by_width_then_side():
    assert sorted([ModelSpec(1.0, 128), ModelSpec(0.5, 224), ModelSpec(0.5, 128)]) == [
        ModelSpec(0.5, 128),
        ModelSpec(0.5, 224),
        ModelSpec(1.0, 128),
    ]
