"""The chains that are timed do the work that the paper counts, and each operator gets its own time."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilenet_edge.errors import UsageError
from mobilenet_edge.formats import artifact
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.model import layers
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.profiling import separable
from mobilenet_edge.profiling.machine import Machine

SPEC = ModelSpec(0.25, 64)
BLOCKS = layers.blocks(SPEC)


@pytest.mark.parametrize("precision", separable.PRECISIONS)
@pytest.mark.parametrize(
    ("chain", "kinds", "macs"),
    [
        (separable._standard, ["CONV_2D"] * 13, [block.standard_macs for block in BLOCKS]),
        (
            separable._separable,
            ["DEPTHWISE_CONV_2D", "CONV_2D"] * 13,
            [layer.macs for block in BLOCKS for layer in (block.depthwise, block.pointwise)],
        ),
    ],
)
def test_a_chain_has_the_operators_and_the_work_of_the_paper(chain, kinds, macs, precision: str, tmp_path: Path):
    graph = chain(BLOCKS)
    assert [node.macs for node in graph.nodes] == macs
    (tmp_path / "chain.tflite").write_bytes(separable.WRITERS[precision](graph))
    contents = artifact.read(tmp_path / "chain.tflite").contents
    assert contents.ops == {kind: kinds.count(kind) for kind in kinds}
    assert contents.precision == precision


@pytest.mark.slow
def test_every_block_is_timed():
    timings, profile = separable.measure(SPEC, Machine(Local()))
    assert [timing.precision for timing in timings] == ["float32"] * 13 + ["int8"] * 13
    assert [timing.block for timing in timings] == [*BLOCKS, *BLOCKS]
    assert profile.runtime == "litert"
    # The largest convolution does a hundred times the work of the smallest operator.
    assert all(timing.standard_ms > 0 for timing in timings)
    assert sum(timing.separable_ms for timing in timings) < sum(timing.standard_ms for timing in timings)


def test_other_families_are_refused():
    with pytest.raises(UsageError, match="blocks of mobilenet_v1, not of mobilenet_v2"):
        separable.measure(ModelSpec(0.35, 96, family="mobilenet_v2"), Machine(Local()))
