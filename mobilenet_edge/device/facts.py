"""Read facts about the machine that a latency depends on; a fact that the machine does not report is left out.

`static` facts do not change. `volatile` facts do: they are read before, during and after a measurement. Serial numbers,
host names and user names are never read.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final

from mobilenet_edge.device import cpu, vcgencmd

SYSTEM: Final = Path("/")
CPUS: Final = "sys/devices/system/cpu"
# Bits of the Raspberry Pi's get_throttled, for now; the bits 16 places higher are for the time since boot.
THROTTLE_BITS: Final = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}


def static(root: Path = SYSTEM) -> dict[str, Any]:
    """Read the facts that do not change.

    Args:
        root: Folder that contains `proc`, `sys` and `etc`.

    Returns:
        The known ones of: board, cpu, machine, cores, isa, governor, min_mhz, max_mhz, memory_bytes, os, kernel, glibc,
        python, numpy, and emulated (the name of the emulator, such as "qemu-aarch64").
    """
    processors = cpu.entries(root)
    facts = {
        "board": _text(root / "proc/device-tree/model"),
        "cpu": cpu.model(processors),
        "machine": os.uname().machine,
        "cores": _cores(),
        "isa": cpu.isa(processors),
        "governor": _distinct(root, "scaling_governor"),
        "min_mhz": min(_mhz(root, "cpuinfo_min_freq"), default=None),
        "max_mhz": max(_mhz(root, "cpuinfo_max_freq"), default=None),
        "memory_bytes": _memory(root),
        "os": _os(root),
        "kernel": os.uname().release,
        "glibc": _glibc(),
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "numpy": _numpy(),
        "emulated": _emulator(root),
    }
    return _known(facts)


def volatile(root: Path = SYSTEM) -> dict[str, Any]:
    """Read the facts that change.

    Returns:
        The known ones of: load (runnable processes, 1-minute average), mhz (of each core), temperature_c, throttled and
        throttled_since_boot (words of `THROTTLE_BITS`), throttle_count (thermal events of x86 cores since boot),
        swapped_pages (since boot), busy_ns (CPU time of all processes since boot) and stolen_ns (CPU time taken by
        other virtual machines since boot).
    """
    ticks = _ticks(root)
    facts = {
        "load": _number(root / "proc/loadavg", float),
        "mhz": _mhz(root, "scaling_cur_freq") or cpu.frequencies_mhz(cpu.entries(root)),
        "temperature_c": _temperature(root),
        **_throttling(root),
        "throttle_count": _total(root, "thermal_throttle/core_throttle_count"),
        "swapped_pages": _swapped(root),
        "busy_ns": ticks and _nanoseconds(ticks[0] + ticks[1] + ticks[2] + sum(ticks[5:7])),
        "stolen_ns": ticks and _nanoseconds(sum(ticks[7:8])),
    }
    return _known(facts)


def memory_of_self(name: str, root: Path = SYSTEM) -> int | None:
    """Read VmRSS (current) or VmHWM (peak) of this process, in bytes.

    `ru_maxrss` is no substitute: on Linux it starts at the peak of the parent process.
    """
    return _field(root / "proc/self/status", name)


def memory_of_machine(root: Path = SYSTEM) -> int | None:
    """Return the sum of memory and swap of the machine, in bytes."""
    memory, swap = _memory(root), _field(root / "proc/meminfo", "SwapTotal")
    return None if memory is None else memory + (swap or 0)


def _cores() -> int | None:
    # The CPUs that this process may use; only Linux reports them.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _memory(root: Path) -> int | None:
    return _field(root / "proc/meminfo", "MemTotal")


def _field(path: Path, name: str) -> int | None:
    for line in (_text(path) or "").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    return None


def _os(root: Path) -> str | None:
    for line in (_text(root / "etc/os-release") or "").splitlines():
        key, _, value = line.partition("=")
        if key == "PRETTY_NAME":
            return value.strip('"')
    return None


def _glibc() -> str | None:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")[2]
    except (ValueError, OSError):
        return None


def _numpy() -> str | None:
    # Some modes run without numpy.
    try:
        from numpy import __version__
    except ImportError:
        return None
    return __version__


def _emulator(root: Path) -> str | None:
    # qemu-user reports the emulated program as /proc/self/exe; this longer path still gives the emulator.
    try:
        name = (root / f"proc/self/task/{os.getpid()}/exe").readlink().name
    except OSError:
        return None
    return name.removesuffix("-static") if name.startswith("qemu-") else None


def _mhz(root: Path, name: str) -> list[int]:
    return [value // 1000 for value in _each_cpu(root, f"cpufreq/{name}")]


def _distinct(root: Path, name: str) -> str | None:
    texts = [_text(path) for path in sorted((root / CPUS).glob(f"cpu[0-9]*/cpufreq/{name}"))]
    return " + ".join(dict.fromkeys(text for text in texts if text)) or None


def _total(root: Path, name: str) -> int | None:
    values = _each_cpu(root, name)
    return sum(values) if values else None


def _each_cpu(root: Path, name: str) -> list[int]:
    values = [_number(path, int) for path in sorted((root / CPUS).glob(f"cpu[0-9]*/{name}"))]
    return [value for value in values if value is not None]


def _temperature(root: Path) -> float | None:
    zones = {}
    for zone in sorted((root / "sys/class/thermal").glob("thermal_zone*")):
        value = _number(zone / "temp", int)
        if value is not None:
            zones[_text(zone / "type") or zone.name] = value / 1000
    # A laptop also has zones for its battery and its radio, so those of the CPU are preferred.
    cpu_zones = [value for name, value in zones.items() if any(word in name for word in ("cpu", "soc", "pkg"))]
    return max(cpu_zones or zones.values(), default=None)


def _throttling(root: Path) -> dict[str, list[str]]:
    alarm = ["under-voltage"] if _under_voltage(root) else []
    try:
        bits = int(_firmware(root) or "", 16)
    except ValueError:
        # Without the firmware's bits the other reasons are unknown, so no alarm does not mean "not throttled".
        return {"throttled": alarm} if alarm else {}
    now = [word for bit, word in THROTTLE_BITS.items() if bits >> bit & 1]
    return {
        "throttled": list(dict.fromkeys((*alarm, *now))),
        "throttled_since_boot": [word for bit, word in THROTTLE_BITS.items() if bits >> bit + 16 & 1],
    }


def _firmware(root: Path) -> str | None:
    # The path is "soc/soc:firmware"; on a Pi 5 an address follows each "soc".
    for path in sorted((root / "sys/devices/platform").glob("soc*/soc*:firmware/get_throttled")):
        return _text(path)
    answer = vcgencmd.ask("get_throttled") if root == SYSTEM else None
    return answer and answer.partition("throttled=")[2]


def _under_voltage(root: Path) -> bool:
    for sensor in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        if _text(sensor / "name") == "rpi_volt":
            return bool(_number(sensor / "in0_lcrit_alarm", int) == 1)
    return False


def _swapped(root: Path) -> int | None:
    pairs = dict(line.split()[:2] for line in (_text(root / "proc/vmstat") or "").splitlines() if " " in line)
    return int(pairs["pswpin"]) + int(pairs["pswpout"]) if {"pswpin", "pswpout"} <= pairs.keys() else None


def _ticks(root: Path) -> list[int] | None:
    # user, nice, system, idle, iowait, irq, softirq, steal; guest time is already in user.
    words = (_text(root / "proc/stat") or "").partition("\n")[0].split()
    return [int(word) for word in words[1:]] if words[:1] == ["cpu"] else None


def _nanoseconds(ticks: int) -> int:
    return ticks * 10**9 // os.sysconf("SC_CLK_TCK")


def _number(path: Path, kind: Any) -> Any:
    words = (_text(path) or "").split()
    try:
        return kind(words[0])
    except (IndexError, ValueError):
        return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip("\0 \n") or None
    except OSError:
        return None


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}
