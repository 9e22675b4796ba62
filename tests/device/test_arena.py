"""The smallest arena: the search without an interpreter; with it, in tests/commands/test_tflm.py."""

from __future__ import annotations

import pytest

from mobilenet_edge.device import arena


@pytest.mark.parametrize("need", [1, 15, 16, 17, 4095, 4096, 4097, 65536])
def test_the_smallest_multiple_of_sixteen_is_found(need: int):
    tried: list[int] = []

    def fits(size: int) -> bool:
        tried.append(size)
        return size >= need

    found = arena.smallest(fits, 0, 65536)
    assert found % 16 == 0
    assert found - 16 < need <= found
    # 65536 / 16 = 2 ** 12 sizes.
    assert len(tried) <= 12


def test_sizes_that_are_known_are_not_tried():
    def fits(size: int) -> bool:
        assert 1600 < size < 1696
        return size >= 1648

    assert arena.smallest(fits, 1600, 1696) == 1648
