"""The matrix product that the limit of a machine is measured with; its files are made here, without a package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Seven bits: products of two such numbers never overflow the 16-bit sums of x86 without VNNI.
_PERIOD: Final = 127


class Shape(NamedTuple):
    """(m, k) times (k, n): pixels, input channels and output channels of a 1 x 1 convolution."""

    m: int
    k: int
    n: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one product."""
        return self.m * self.k * self.n


def weights(dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Make weights that are neither constant nor denormal: -63 to 63, divided by 64 for floats."""
    size = int(np.prod(shape))
    values = np.resize(np.arange(_PERIOD) - _PERIOD // 2, size).reshape(shape)
    return (values / np.float32(64)).astype(np.float32) if dtype == "float32" else values.astype(np.int8)
