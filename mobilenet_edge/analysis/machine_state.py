"""Whether a machine is in a state to be measured: its CPU, speed, heat, memory, disk, time, and other workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mobilenet_edge import units
from mobilenet_edge.analysis.finding import FAIL, OK, WARN, Finding
from mobilenet_edge.hosts.devices import LOCAL

DOT_PRODUCTS: Final = ("AVX-512 VNNI", "AVX-VNNI", "AMX int8", "SDOT/UDOT", "I8MM")
# A Raspberry Pi slows down from 80 °C (https://www.raspberrypi.com/documentation/computers/config_txt.html); ten less
# leave room for the measurement's own heat.
HOT_C: Final = 70
# A worker peaks at 87 MB with the largest float32 variant (LiteRT 2.3.0 on x86-64).
LITTLE_MEMORY: Final = 150_000_000
LITTLE_DISK: Final = 100_000_000
NO_DISK: Final = 20_000_000
SKEW_SECONDS: Final = 60
GOVERN: Final = "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
POWER: Final = "use a power supply and a cable made for this board"
COOL: Final = "cool it, with a fan or out of its case"
Facts = Mapping[str, Any]


def of_cpu(facts: Facts) -> Iterator[Finding]:
    """Judge whether latency is real here, and whether int8 can be faster than float32."""
    host = facts["host"]
    if "emulated" in host:
        next_ = "take latency on the device itself; everything else may be tried here"
        yield Finding("cpu", WARN, f"emulated by {host['emulated']}: latency is not real", next_)
    if features := host.get("isa"):
        dots = [each for each in features if each in DOT_PRODUCTS]
        if dots:
            yield Finding("int8", OK, f"dot products: {', '.join(dots)}")
        else:
            fact = f"no dot products ({', '.join(features)}): int8 may not be faster than float32 here"
            yield Finding("int8", WARN, fact, "measure float32 beside int8")


def of_speed(facts: Facts, host: str) -> Iterator[Finding]:
    """Judge the governor, throttling and temperature."""
    governor = facts["host"].get("governor")
    if governor is not None and "powersave" in governor.split(" + "):
        where = "" if host == LOCAL else f"on {host}: "
        yield Finding("governor", WARN, f"{governor}: it may hold the frequency down", where + GOVERN)
    elif governor is not None:
        yield Finding("governor", OK, governor)
    yield from _throttling(facts["now"])
    degrees = facts["now"].get("temperature_c")
    if degrees is not None:
        fact = f"{degrees:.0f} °C"
        hot = degrees >= HOT_C
        yield Finding("temperature", WARN, fact, COOL) if hot else Finding("temperature", OK, fact)


def of_room(facts: Facts) -> Iterator[Finding]:
    """Judge memory and the disk of temporary files."""
    total, available = facts["host"].get("memory_bytes"), facts["memory_available_bytes"]
    if available is not None:
        fact = f"{units.format_bytes(available)} available"
        fact += f" of {units.format_bytes(total)}" if total else ""
        little = available < LITTLE_MEMORY
        yield Finding("memory", WARN, fact, "close other programs") if little else Finding("memory", OK, fact)
    folder, free = facts["folder"], facts["disk_free_bytes"]
    if folder is None:
        yield Finding("disk", FAIL, "no folder for temporary files can be written", "set TMPDIR to one that can")
        return
    fact = f"{units.format_bytes(free)} free in {folder}"
    if free >= LITTLE_DISK:
        yield Finding("disk", OK, fact)
    else:
        yield Finding("disk", FAIL if free < NO_DISK else WARN, fact, "free some, or set TMPDIR to another disk")


def of_time(facts: Facts, host: str, asked: tuple[int, int]) -> Iterator[Finding]:
    """Judge the machine's clock against ours.

    Args:
        facts: The machine's.
        host: What the user calls it.
        asked: Our clock before the question and after the answer, in ns since 1970.
    """
    if host == LOCAL:
        return
    early, late = asked[0] - facts["clock_ns"], facts["clock_ns"] - asked[1]
    seconds = max(early, late, 0) / 1e9
    if seconds <= SKEW_SECONDS:
        yield Finding("clock", OK, "agrees with this machine's")
        return
    side = "behind" if early > late else "ahead of"
    fact = f"{_span(seconds)} {side} this machine's: pip may take good certificates for bad, and dates differ"
    yield Finding("clock", WARN, fact, f"on {host}: sudo timedatectl set-ntp true")


def of_workers(facts: Facts) -> Iterator[Finding]:
    """Tell whether others measure there now."""
    count = facts["measuring"]
    if count:
        fact = f"{count} worker{'s' * (count > 1)} of mnet measure{'s' * (count == 1)} there now"
        yield Finding("workers", WARN, fact, "wait for the end before you measure")
    else:
        yield Finding("workers", OK, "no worker of mnet measures there now")


def _throttling(now: Facts) -> Iterator[Finding]:
    present, past = now.get("throttled"), now.get("throttled_since_boot")
    if present is None and past is None:
        return
    words = present or past
    if not words:
        yield Finding("throttling", OK, "none since boot")
        return
    fact = f"now: {', '.join(words)}" if present else f"not now, since boot: {', '.join(words)}"
    yield Finding("throttling", FAIL if present else WARN, fact, POWER if "under-voltage" in words else COOL)


def _span(seconds: float) -> str:
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // size)
        if count:
            return f"{count} {unit}{'s' * (count > 1)}"
    return f"{seconds:.0f} seconds"
