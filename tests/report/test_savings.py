from __future__ import annotations

from mobilenet_edge.model import layers
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.profiling.separable import Timing
from mobilenet_edge.report import savings
from tests.report.html.grid import SPECS, identity, profile


def test_ratios_of_times_stand_beside_those_of_the_multiplications():
    blocks = layers.blocks(ModelSpec(0.5, 160))
    timings = [
        Timing(block, precision, standard_ms=2.0, depthwise_ms=0.1, pointwise_ms=pointwise)
        for precision, pointwise in (("float32", 0.3), ("int8", 0.9))
        for block in blocks
    ]
    text = savings.text(timings, profile(identity(SPECS[0]), 1.0))
    float32, int8 = text.split("\n\nint8: ")
    assert "| conv_dw_1 + pw  |  16 |  32 |     2.00 |      0.10 |      0.30 | 0.200 |     0.142 |" in float32
    assert "| total           |     |     |    26.00 |      1.30 |     11.70 | 0.500 |     0.118 |" in int8
    # All standard convolutions take 26 ms, the depthwise ones 1.3 ms and the pointwise ones 3.9 ms.
    standard, depthwise, pointwise = (
        sum(macs) / 1e9
        for macs in (
            [block.standard_macs for block in blocks],
            [block.depthwise.macs for block in blocks],
            [block.pointwise.macs for block in blocks],
        )
    )
    assert f"{standard / 26e-3:.1f} GMAC/s in the standard" in float32
    assert f"{depthwise / 1.3e-3:.1f} GMAC/s in the depthwise and {pointwise / 3.9e-3:.1f} GMAC/s" in float32
    assert "25% of their time" in float32
    assert savings.values(timings)[13]["pointwise_ms"] == 0.9
