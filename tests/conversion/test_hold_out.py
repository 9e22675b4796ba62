"""Which calibration images are kept from the quantiser to measure with."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.conversion.samples import Samples


def samples(count, source="images"):
    return Samples(np.arange(count, dtype=np.float32)[:, None, None, None], source)


@pytest.mark.parametrize(("count", "number"), [(20, 10), (21, 10), (49, 10), (50, 10), (100, 20), (1000, 50)])
def test_a_fifth_is_held_out_and_not_fitted(count, number):
    split = samples(count).hold_out()
    assert len(split.held_out) == number
    assert split.checking is split.held_out
    assert sorted([*split.images.ravel(), *split.held_out.ravel()]) == list(range(count))
    # Evenly spread: files are sorted by class.
    assert np.ptp(np.diff(split.held_out.ravel())) <= 1
    assert split.describe().count == count - number


@pytest.mark.parametrize("few", [samples(19), samples(100, "synthetic")])
def test_few_images_and_noise_are_fitted_whole(few):
    split = few.hold_out()
    assert split.held_out is None
    assert len(split.images) == len(few.images)
    assert len(split.checking) == min(len(few.images), 20)
