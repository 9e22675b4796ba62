"""Check whether a machine is ready to be measured: CPU, governor, temperature, memory, disk, clock and workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mobilenet_edge import units
from mobilenet_edge.analysis.finding import FAIL, OK, WARN, Finding
from mobilenet_edge.hosts.devices import LOCAL

DOT_PRODUCTS: Final = ("AVX-512 VNNI", "AVX-VNNI", "AMX int8", "SDOT/UDOT", "I8MM")
# A Raspberry Pi throttles at 80 °C (https://www.raspberrypi.com/documentation/computers/config_txt.html); the margin of
# 10 °C allows for the heat of the measurement.
HOT_C: Final = 70
# A worker peaks at 87 MB with the largest float32 variant (LiteRT 2.3.0 on x86-64).
MIN_MEMORY_BYTES: Final = 150_000_000
MIN_DISK_BYTES: Final = 20_000_000
LOW_DISK_BYTES: Final = 100_000_000
MAX_SKEW_SECONDS: Final = 60
SET_GOVERNOR: Final = "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
CHECK_POWER: Final = "use a power supply and a cable made for this board"
COOL: Final = "cool it with a fan, or take it out of its case"
Facts = Mapping[str, Any]


def check_cpu(facts: Facts) -> Iterator[Finding]:
    """Check for an emulator, and for instructions that make int8 faster than float32."""
    host = facts["host"]
    if "emulated" in host:
        next_ = "measure latency on the device itself; everything else works here"
        yield Finding("cpu", WARN, f"emulated by {host['emulated']}: latency is not real", next_)
    if features := host.get("isa"):
        dot_products = [feature for feature in features if feature in DOT_PRODUCTS]
        if dot_products:
            yield Finding("int8", OK, f"dot products: {', '.join(dot_products)}")
        else:
            fact = f"no dot products ({', '.join(features)}): int8 may not be faster than float32 here"
            yield Finding("int8", WARN, fact, "profile the float32 file as well as the int8 file")


def check_throttling(facts: Facts, host: str) -> Iterator[Finding]:
    """Check the frequency governor, throttling and temperature."""
    governor = facts["host"].get("governor")
    if governor is not None and "powersave" in governor.split(" + "):
        where = "" if host == LOCAL else f"on {host}: "
        yield Finding("governor", WARN, f"{governor}: it may keep the frequency low", where + SET_GOVERNOR)
    elif governor is not None:
        yield Finding("governor", OK, governor)
    yield from _throttling(facts["now"])
    degrees = facts["now"].get("temperature_c")
    if degrees is not None:
        fact = f"{degrees:.0f} °C"
        hot = degrees >= HOT_C
        yield Finding("temperature", WARN, fact, COOL) if hot else Finding("temperature", OK, fact)


def check_space(facts: Facts) -> Iterator[Finding]:
    """Check the memory, and the disk for temporary files."""
    total, available = facts["host"].get("memory_bytes"), facts["memory_available_bytes"]
    if available is not None:
        fact = f"{units.format_bytes(available)} available"
        fact += f" of {units.format_bytes(total)}" if total else ""
        low = available < MIN_MEMORY_BYTES
        yield Finding("memory", WARN, fact, "close other programs") if low else Finding("memory", OK, fact)
    folder, free = facts["folder"], facts["disk_free_bytes"]
    if folder is None:
        yield Finding("disk", FAIL, "no writable folder for temporary files", "set TMPDIR to a writable folder")
        return
    fact = f"{units.format_bytes(free)} free in {folder}"
    if free >= LOW_DISK_BYTES:
        yield Finding("disk", OK, fact)
    else:
        yield Finding(
            "disk", FAIL if free < MIN_DISK_BYTES else WARN, fact, "free disk space, or set TMPDIR to another disk"
        )


def check_clock(facts: Facts, host: str, local_ns: tuple[int, int]) -> Iterator[Finding]:
    """Compare the clock of a machine with this machine's.

    Args:
        facts: Facts of the machine.
        host: Name of the machine.
        local_ns: This machine's clock before the request and after the answer, in ns since 1970.
    """
    if host == LOCAL:
        return
    behind_ns, ahead_ns = local_ns[0] - facts["clock_ns"], facts["clock_ns"] - local_ns[1]
    seconds = max(behind_ns, ahead_ns, 0) / 1e9
    if seconds <= MAX_SKEW_SECONDS:
        yield Finding("clock", OK, "agrees with this machine's")
        return
    side = "behind" if behind_ns > ahead_ns else "ahead of"
    fact = f"{_duration(seconds)} {side} this machine's: pip may reject valid certificates, and dates differ"
    yield Finding("clock", WARN, fact, f"on {host}: sudo timedatectl set-ntp true")


def check_workers(facts: Facts) -> Iterator[Finding]:
    """Check for other measurements on the machine."""
    count = facts["measuring"]
    if count:
        fact = f"{count} other measurement{'s' * (count > 1)} by mnet running"
        yield Finding("workers", WARN, fact, "wait until it ends" if count == 1 else "wait until they end")
    else:
        yield Finding("workers", OK, "no other measurement by mnet running")


def _throttling(now: Facts) -> Iterator[Finding]:
    present, past = now.get("throttled"), now.get("throttled_since_boot")
    if present is None and past is None:
        return
    causes = present or past
    if not causes:
        yield Finding("throttling", OK, "none since boot")
        return
    fact = f"now: {', '.join(causes)}" if present else f"not now, but since boot: {', '.join(causes)}"
    yield Finding("throttling", FAIL if present else WARN, fact, CHECK_POWER if "under-voltage" in causes else COOL)


def _duration(seconds: float) -> str:
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // size)
        if count:
            return f"{count} {unit}{'s' * (count > 1)}"
    return f"{seconds:.0f} seconds"
