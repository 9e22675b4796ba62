"""What MLPerf Tiny published, and that its model is the variant that we take it for."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from mobilenet_edge.model import mlperf
from mobilenet_edge.model.layers import table
from mobilenet_edge.model.spec import ModelSpec


def test_the_rate_is_shown_as_the_time_of_one():
    (st, *_) = mlperf.results(mlperf.SHAPE, "nucleo-l4r5zi")
    # 120 inferences took 10.671 s in the log of that submission.
    assert st.ms == pytest.approx(10_671 / 120, rel=1e-4)


def test_rows_of_a_board_are_found_by_the_beginning_of_its_name():
    found = mlperf.results(mlperf.SHAPE, "nucleo-l4r5zi")
    assert [(row.version, row.board, row.submitter) for row in found] == [
        ("1.2", "NUCLEO-L4R5ZI", "STMicroelectronics"),
        ("1.2", "NUCLEO-L4R5ZI", "Bosch"),
        ("1.3", "NUCLEO-L4R5ZI-P", "STMicroelectronics"),
    ]


@pytest.mark.parametrize("spec", [None, ModelSpec(0.25, 96), ModelSpec(0.25, 128, 2), ModelSpec(0.5, 96, 2)])
def test_other_shapes_have_none(spec: ModelSpec | None):
    assert mlperf.results(spec) == ()


def test_parameters_are_those_of_the_benchmarks_model():
    # 221,794 says NXP's model zoo of the benchmark's own file (tasks/vision/classification/visual-wake-word in
    # NXP/eiq-model-zoo). Its convolutions have biases beside batch norm, one a channel, which folding makes one.
    widths = [8, 16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256]
    channels = 8 + sum(before + after for before, after in pairwise(widths))
    assert sum(layer.keras_parameters for layer in table(mlperf.SHAPE)) + channels == 221_794


def test_the_page_has_every_row():
    page = (Path(__file__).parents[2] / "docs" / "micro.md").read_text()
    for row in mlperf.RESULTS:
        software = row.software.removeprefix("Bosch ")
        figures = f"{row.per_second:g} | {row.ms:.1f} | {row.accuracy} % | {row.energy_uj or ''}".rstrip()
        assert f"| {row.version} | {row.board} | {row.submitter}, {software} | {figures} |" in page
