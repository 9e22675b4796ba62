"""Describe the machine that a latency depends on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from mobilenet_edge.device.checkup import LIMIT_SECONDS
from mobilenet_edge.device.runtimes import RUNTIMES
from mobilenet_edge.errors import MnetError
from mobilenet_edge.hosts import devices
from mobilenet_edge.hosts.devices import LOCAL, Device
from mobilenet_edge.hosts.reach import reach
from mobilenet_edge.sweep import stage

# What `versions` of a machine names: the packages of all runtimes, of which "auto" takes the best that is installed.
PACKAGES: Final = (*dict.fromkeys(runtime.distribution for runtime in RUNTIMES.values()), "numpy")
# Facts of `device.facts.static` that do not change between two boots.
FACTS: Final = ("board", "cpu", "machine", "cores", "isa", "memory_bytes", "os", "emulated", "python")


def description(name: str) -> dict[str, Any]:
    """Return the address and the delegate of a machine, because its name may later refer to another one.

    Raises:
        InputError, UsageError: As for `devices.find`.
    """
    device = devices.find(name)
    return {
        "host": device.host,
        "python": device.python,
        "delegate": device.delegate,
        "delegate_options": dict(sorted(device.delegate_options.items())),
    }


def facts(name: str) -> Mapping[str, Any] | None:
    """Query the hardware and the runtimes of a machine; the local one without starting a worker.

    Returns:
        Facts, or None if the machine does not answer.
    """
    device = devices.find(name)
    if device.host == LOCAL and device.python is None:
        return {"cpu": _this_cpu(), "versions": dict(stage.versions(PACKAGES))}
    return _query(device.name, device.host, device.python)


@cache
def _query(name: str, address: str, python: str | None) -> Mapping[str, Any] | None:
    host = reach(Device(name, address, python))
    try:
        with host:
            document = host.run({"mode": "doctor"}, limit_seconds=LIMIT_SECONDS)
    except MnetError:
        return None
    versions = {key: entry["version"] for key, entry in document["runtimes"].items() if entry["version"]}
    return {**{key: document["host"].get(key) for key in FACTS}, "versions": versions}


def _this_cpu() -> str | None:
    """Return the model and number of the CPUs, so that profiles in a folder copied from elsewhere are stale."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return None
    models = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "CPU part"))]
    return f"{len(models)} x {models[0]}" if models else None
