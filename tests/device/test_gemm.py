from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.device.gemm import Shape, weights


def test_macs_are_the_product_of_the_three():
    assert Shape(196, 512, 1024).macs == 196 * 512 * 1024


@pytest.mark.parametrize("dtype", ["float32", "int8", "uint8"])
def test_weights_vary_and_fit_seven_bits(dtype: str):
    made = weights(dtype, (16, 1, 1, 32))
    assert made.shape == (16, 1, 1, 32)
    assert made.dtype == (np.float32 if dtype == "float32" else np.int8)
    steps = made * 64 if dtype == "float32" else made.astype(int)
    assert (steps.min(), steps.max()) == (-63, 63)
    # Two such weights and two activations of 255 stay within 16 bits: no kernel saturates.
    assert 2 * 63 * 255 <= 0x7FFF
