"""The table of boards."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilenet_edge.conversion.micro import boards
from mobilenet_edge.conversion.micro.boards import BOARDS
from mobilenet_edge.errors import UsageError


def test_every_figure_has_a_source():
    for board in BOARDS.values():
        assert board.source.startswith("github.com/")
        assert board.flash_bytes > board.ram_bytes > 0
        assert board.name == board.name.lower()


def test_figures_as_the_makers_write_them():
    # "640KB" and "2MB" of NUCLEO_L4R5ZI.json; 256 KiB of RAM, and 1 MiB of flash less a bootloader of 64 KiB.
    assert (BOARDS["nucleo-l4r5zi"].ram_bytes, BOARDS["nucleo-l4r5zi"].flash_bytes) == (640 * 1024, 2 * 1024**2)
    assert (BOARDS["nano33ble"].ram_bytes, BOARDS["nano33ble"].flash_bytes) == (262_144, 983_040)


def test_an_unknown_board_names_the_known():
    with pytest.raises(UsageError, match="there is no board 'uno'; there are nucleo-l4r5zi, "):
        boards.find("uno")


def test_the_page_has_every_board():
    page = (Path(__file__).parents[3] / "docs" / "micro.md").read_text()
    for board in BOARDS.values():
        row = f"| `{board.name}` | {board.mcu} | {board.flash_bytes >> 10} KiB | {board.ram_bytes >> 10} KiB |"
        assert row in page
