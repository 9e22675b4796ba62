"""What a latency depends on of the machine: how it is reached, and what it says it is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from mobilenet_edge.errors import MnetError
from mobilenet_edge.hosts import devices
from mobilenet_edge.hosts.devices import LOCAL, Device
from mobilenet_edge.hosts.reach import reach
from mobilenet_edge.sweep import stage

RUNTIMES: Final = ("ai-edge-litert", "tflite-runtime", "onnxruntime", "numpy")
# Of `device.facts.static`: what stays as it is from one start to the next.
FACTS: Final = ("board", "cpu", "machine", "cores", "isa", "memory_bytes", "os", "emulated", "python")
# The worker tries four packages one after the other.
LIMIT_SECONDS: Final = 270.0


def description(name: str) -> dict[str, Any]:
    """Return how a machine is reached and its delegate; the name alone may mean another machine tomorrow.

    Raises:
        InputError, UsageError: As `devices.find`.
    """
    device = devices.find(name)
    return {
        "host": device.host,
        "python": device.python,
        "delegate": device.delegate,
        "delegate_options": dict(sorted(device.delegate_options.items())),
    }


def facts(name: str) -> Mapping[str, Any] | None:
    """Ask a machine what it is and which runtimes it has; this one without starting a worker.

    Returns:
        None where it does not answer.
    """
    device = devices.find(name)
    if device.host == LOCAL and device.python is None:
        return {"cpu": _this_cpu(), "versions": dict(stage.versions(RUNTIMES))}
    return _answer(device.name, device.host, device.python)


@cache
def _answer(name: str, address: str, python: str | None) -> Mapping[str, Any] | None:
    host = reach(Device(name, address, python))
    try:
        with host:
            found = host.run({"mode": "doctor"}, limit_seconds=LIMIT_SECONDS)
    except MnetError:
        return None
    versions = {key: entry["version"] for key, entry in found["runtimes"].items() if entry["version"]}
    return {**{key: found["host"].get(key) for key in FACTS}, "versions": versions}


def _this_cpu() -> str | None:
    """Say what kind of machine this is, so that profiles in a copied folder are not taken for its own."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return None
    named = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "CPU part"))]
    return f"{len(named)} x {named[0]}" if named else None
