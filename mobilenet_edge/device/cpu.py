"""Name the CPU and its instruction sets from `/proc/cpuinfo`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

# Instruction sets that int8 speed depends on, oldest first: the kernel's name and the common name.
ISA: Final = {
    "sse4_1": "SSE4.1",
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX-VNNI",
    "amx_int8": "AMX int8",
    "neon": "NEON",
    "asimd": "NEON",
    "asimddp": "SDOT/UDOT",
    "i8mm": "I8MM",
    "sve": "SVE",
}
# "CPU part" of implementer 0x41, Arm.
CORES: Final = {
    "0xb76": "ARM1176", "0xc07": "Cortex-A7", "0xd03": "Cortex-A53", "0xd04": "Cortex-A35", "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57", "0xd08": "Cortex-A72", "0xd09": "Cortex-A73", "0xd0a": "Cortex-A75", "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1", "0xd40": "Neoverse-V1", "0xd41": "Cortex-A78", "0xd49": "Neoverse-N2",
    "0xd4f": "Neoverse-V2",
}  # fmt: skip
ARM: Final = "0x41"


def entries(root: Path) -> list[dict[str, str]]:
    """Read one dictionary per processor from `/proc/cpuinfo`; empty if there is no such file."""
    try:
        text = (root / "proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return []
    blocks = [dict(_pairs(block)) for block in text.split("\n\n")]
    # The last block describes the board and holds its serial number, which is private.
    return [block for block in blocks if "processor" in block]


def model(processors: list[dict[str, str]]) -> str | None:
    """Name the CPU, as "Intel(R) …" or, from the part number, "Cortex-A76"; different cores joined by " + "."""
    names = [_arm(processor) if "CPU part" in processor else processor.get("model name") for processor in processors]
    return " + ".join(dict.fromkeys(name for name in names if name)) or None


def isa(processors: list[dict[str, str]]) -> list[str]:
    """Name the instruction sets of `ISA` that every processor has."""
    flags = [set((processor.get("flags") or processor.get("Features") or "").split()) for processor in processors]
    common = set.intersection(*flags) if flags else set()
    return list(dict.fromkeys(name for flag, name in ISA.items() if flag in common))


def frequencies_mhz(processors: list[dict[str, str]]) -> list[int]:
    """Read the frequency of each core in MHz, which x86 kernels report without cpufreq."""
    return [round(float(processor["cpu MHz"])) for processor in processors if "cpu MHz" in processor]


def _pairs(block: str) -> list[tuple[str, str]]:
    return [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in block.splitlines())]


def _arm(processor: dict[str, str]) -> str:
    part = processor["CPU part"].lower()
    if processor.get("CPU implementer", "").lower() == ARM and part in CORES:
        return CORES[part]
    return f"implementer {processor.get('CPU implementer', '?')} part {part}"
