"""Rows that fit a board, by the inspections of their files."""

from __future__ import annotations

import pytest

from mobilenet_edge.conversion.micro.boards import Board
from mobilenet_edge.errors import InputError, MnetError
from mobilenet_edge.records import Inspection
from mobilenet_edge.report import onboard
from mobilenet_edge.report.rows import join
from tests.report.conftest import identity

BOARD = Board("mine", "ABC1", "Cortex-M4", 1_000_000, 100_000, "github.com/me")
SMALL, LARGE, OTHER = (f"mobilenet_v1-a{alpha}-r128" for alpha in ("0.25", "0.50", "0.75"))


def inspection(variant, arena, target="tflm", flash=300_000):
    found = {"target": target, "flash_bytes": flash, "arena_bytes": arena, "interpreter": "tflite-micro 1"}
    return Inspection(**identity(variant), metadata=None, ops={}, bytes={}, preflight=found)


@pytest.fixture
def rows(profile):
    return join([profile(variant=variant) for variant in (SMALL, LARGE, OTHER)])


def test_what_fits_is_kept_and_the_rest_counted(rows):
    kept, said = onboard.keep(rows, [inspection(SMALL, 100_000), inspection(LARGE, 100_001)], BOARD)
    assert [row.record.variant for row in kept] == [SMALL]
    assert said[0].startswith("1 of 3 rows fit mine (1.00 MB of flash, 100.0 kB of RAM); latencies are those of")
    assert said[1].startswith("1 rows were left out")


def test_flash_counts_too(rows):
    found = [inspection(SMALL, 10, flash=1_000_001), inspection(LARGE, 10)]
    assert [row.record.variant for row in onboard.keep(rows, found, BOARD)[0]] == [LARGE]


def test_without_inspections_the_command_is_told(rows):
    for found in ([], [inspection(SMALL, 10, "edgetpu")], [inspection(SMALL, None)]):
        with pytest.raises(InputError, match=r"on mine; find out with: mnet inspect FILE\.tflite --target tflm --json"):
            onboard.keep(rows, found, BOARD)


def test_that_none_fits_is_told_with_the_smallest(rows):
    found = [inspection(SMALL, 200_000), inspection(LARGE, 300_000)]
    with pytest.raises(
        MnetError, match=r"no file fits mine: the smallest arena is 200\.0 kB .* export a smaller --rho"
    ):
        onboard.keep(rows, found, BOARD)
