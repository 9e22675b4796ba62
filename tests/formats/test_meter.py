"""What a small file may unpack to."""

import pytest

from mobilenet_edge.formats.wire.meter import Meter


def test_a_file_may_be_read_a_few_times_over():
    meter = Meter(10 << 20)
    meter.take(4 * (10 << 20) + (1 << 20))
    with pytest.raises(ValueError, match="many times its size"):
        meter.take(1)


def test_a_small_file_has_its_overhead():
    Meter(0).take(1 << 20)
