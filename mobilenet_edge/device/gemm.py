"""Describe the matrix product that measures the limit of a machine; its model files are written without a library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Seven bits, so that sums of two products never overflow 16 bits on x86 without VNNI.
_PERIOD: Final = 127


class Shape(NamedTuple):
    """Size of the product (m, k) x (k, n): pixels, input channels and output channels of a 1 x 1 convolution."""

    m: int
    k: int
    n: int

    @property
    def macs(self) -> int:
        """Number of multiply-accumulates of one product."""
        return self.m * self.k * self.n


def weights(dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return varied weights without denormals: -63 to 63, divided by 64 for float32."""
    size = int(np.prod(shape))
    values = np.resize(np.arange(_PERIOD) - _PERIOD // 2, size).reshape(shape)
    return (values / np.float32(64)).astype(np.float32) if dtype == "float32" else values.astype(np.int8)
