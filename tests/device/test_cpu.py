from __future__ import annotations

from pathlib import Path

import pytest

from mobilenet_edge.device import cpu

XEON = """\
processor	: {index}
vendor_id	: GenuineIntel
model name	: Intel(R) Xeon(R) Processor @ 2.50GHz
cpu MHz		: 2500.{index}04
flags		: fpu sse4_1 avx2 avx512f avx512_vnni
"""
PI = """\
processor	: {index}
BogoMIPS	: 108.00
Features	: fp asimd evtstrm crc32 {more}
CPU implementer	: 0x41
CPU part	: {part}
"""
BOARD = "Hardware\t: BCM2835\nSerial\t\t: 10000000abcdef01\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n"


@pytest.fixture
def entries(tmp_path: Path):
    def read(*blocks: str) -> list[dict[str, str]]:
        (tmp_path / "proc").mkdir()
        (tmp_path / "proc/cpuinfo").write_text("\n".join(blocks))
        return cpu.entries(tmp_path)

    return read


def test_x86(entries):
    processors = entries(XEON.format(index=0), XEON.format(index=1))
    assert cpu.model(processors) == "Intel(R) Xeon(R) Processor @ 2.50GHz"
    assert cpu.isa(processors) == ["SSE4.1", "AVX2", "AVX-512", "AVX-512 VNNI"]
    assert cpu.frequencies_mhz(processors) == [2500, 2500]


@pytest.mark.parametrize(
    ("part", "more", "name", "isa"),
    [
        ("0xd03", "", "Cortex-A53", ["NEON"]),  # Pi 3, Zero 2 W
        ("0xd08", "", "Cortex-A72", ["NEON"]),  # Pi 4
        ("0xd0b", "asimddp", "Cortex-A76", ["NEON", "SDOT/UDOT"]),  # Pi 5
        ("0xfff", "i8mm", "implementer 0x41 part 0xfff", ["NEON", "I8MM"]),
    ],
)
def test_arm(entries, part: str, more: str, name: str, isa: list[str]):
    processors = entries(*(PI.format(index=index, part=part, more=more) for index in range(4)), BOARD)
    assert len(processors) == 4
    assert cpu.model(processors) == name
    assert cpu.isa(processors) == isa
    assert cpu.frequencies_mhz(processors) == []


def test_serial_number_is_not_read(entries):
    assert "Serial" not in str(entries(PI.format(index=0, part="0xd08", more=""), BOARD))


def test_big_little_names_both_and_claims_only_what_all_have(entries):
    processors = entries(
        PI.format(index=0, part="0xd05", more="asimddp"), PI.format(index=1, part="0xd0b", more="asimddp i8mm")
    )
    assert cpu.model(processors) == "Cortex-A55 + Cortex-A76"
    assert cpu.isa(processors) == ["NEON", "SDOT/UDOT"]


def test_nothing_is_known_without_the_file(tmp_path: Path):
    processors = cpu.entries(tmp_path)
    assert processors == []
    assert cpu.model(processors) is None
    assert cpu.isa(processors) == []


def test_an_unknown_layout_is_no_error(entries):
    processors = entries("processor: 0\nsomething else\n")
    assert cpu.model(processors) is None
    assert cpu.isa(processors) == []
