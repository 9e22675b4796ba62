"""List microcontroller boards with their memories, and where each figure is from.

Sources are files of public repositories: the descriptions of systems that were submitted to MLPerf Tiny, and the
device trees and documentation of Zephyr.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mobilenet_edge import schema
from mobilenet_edge.errors import UsageError

KIB: Final = 1 << 10
MIB: Final = 1 << 20
_TINY: Final = "github.com/mlcommons/tiny_results_v1.{}/closed/{}/systems/{}.json"
_ZEPHYR: Final = "github.com/zephyrproject-rtos/zephyr/{}"


@dataclass(frozen=True)
class Board:
    """One board.

    Attributes:
        name: As `--board` takes it.
        mcu: The microcontroller.
        core: Its processor and greatest clock.
        flash_bytes: Flash that a program can have.
        ram_bytes: RAM that one array can have: the largest piece, where it is known.
        source: Where the figures are from.
        note: What a reader must know of them; may be empty.
    """

    name: str
    mcu: str
    core: str
    flash_bytes: int
    ram_bytes: int
    source: str
    note: str = ""


BOARDS: Final[Mapping[str, Board]] = {
    board.name: board
    for board in (
        Board(
            "nucleo-l4r5zi", "STM32L4R5ZI", "Cortex-M4F, 120 MHz", 2 * MIB, 640 * KIB,
            _TINY.format(2, "STMicroelectronics", "NUCLEO_L4R5ZI"),
        ),
        Board(
            "nucleo-u575zi-q", "STM32U575ZI", "Cortex-M33, 160 MHz", 2 * MIB, 768 * KIB,
            _TINY.format(3, "STMicroelectronics", "NUCLEO_U575ZI_Q"),
        ),
        Board(
            "nucleo-u385rg-q", "STM32U385RG", "Cortex-M33, 96 MHz", 1 * MIB, 256 * KIB,
            _TINY.format(3, "STMicroelectronics", "NUCLEO_U385RG_Q"),
        ),
        Board(
            "nucleo-h7a3zi-q", "STM32H7A3ZI", "Cortex-M7, 280 MHz", 2 * MIB, 1024 * KIB,
            f"{_TINY.format(2, 'STMicroelectronics', 'NUCLEO_H7A3ZI_Q')}, "
            + _ZEPHYR.format("dts/arm/st/h7/stm32h7a3.dtsi"),
            "of 1184 KiB of RAM the AXI part",
        ),
        Board(
            "stm32h747i-disco", "STM32H747XI", "Cortex-M7, 480 MHz", 2 * MIB, 512 * KIB,
            f"{_ZEPHYR.format('boards/st/stm32h747i_disco/doc/index.rst')}, dts/arm/st/h7/stm32h745.dtsi",
            "of 1 MB of RAM the AXI part; the Cortex-M4 starts from the second half of the flash",
        ),
        Board(
            "ek-ra8d1", "R7FA8D1AHECBD", "Cortex-M85, 480 MHz", 2 * MIB, 1 * MIB,
            _TINY.format(2, "Renesas", "EK-RA8D1"),
            "all of its RAM, which may be in pieces",
        ),
        Board(
            "nano33ble", "nRF52840", "Cortex-M4F, 64 MHz", 960 * KIB, 256 * KIB,
            f"{_ZEPHYR.format('dts/arm/nordic/nrf52840_qiaa.dtsi')}, "
            "boards/arduino/nano_33_ble/arduino_nano_33_ble-common.dtsi",
            "of 1 MiB of flash the bootloader has 64 KiB",
        ),
        Board(
            "rp2040", "RP2040", "Cortex-M0+, 133 MHz", 2 * MIB, 264 * KIB,
            f"{_ZEPHYR.format('boards/raspberrypi/rpi_pico/doc/index.rst')}, "
            "dts/arm/raspberrypi/rpi_pico/rp2040.dtsi",
            "flash of the Raspberry Pi Pico",
        ),
        Board(
            "rp2350", "RP2350", "Cortex-M33, 150 MHz", 4 * MIB, 520 * KIB,
            _ZEPHYR.format("boards/raspberrypi/rpi_pico2/doc/index.rst"),
            "flash of the Raspberry Pi Pico 2",
        ),
        Board(
            "esp32-s3", "ESP32-S3", "Xtensa LX7, 240 MHz", 8 * MIB, 416 * KIB,
            f"{_ZEPHYR.format('dts/xtensa/espressif/esp32s3/esp32s3_common.dtsi')}, esp32s3_wroom_n8.dtsi",
            "flash of the module WROOM-1-N8; of 512 KiB of RAM the data part; Wi-Fi and PSRAM are not counted",
        ),
    )
}  # fmt: skip


def find(name: str) -> Board:
    """Look up a board.

    Raises:
        UsageError: There is none of that name.
    """
    if name not in BOARDS:
        known = f"there are {', '.join(BOARDS)}"
        raise UsageError(f"there is no board {name!r}; {schema.nearest(name, BOARDS, known)}")
    return BOARDS[name]
