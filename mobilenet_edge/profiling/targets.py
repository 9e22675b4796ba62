"""Find machines by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mobilenet_edge.hosts import devices
from mobilenet_edge.hosts.reach import reach
from mobilenet_edge.profiling.machine import Machine
from mobilenet_edge.profiling.settings import Delegate


def find(names: Sequence[str], path: Path | None = None) -> list[Machine]:
    """Find machines without connecting to them; duplicates are ignored.

    Args:
        names: "local", a table of the devices file, or user@host.
        path: Devices file, or None for configs/devices.toml if it exists.

    Raises:
        InputError: The file cannot be read, or has an unknown key or an invalid value.
        UsageError: There is no such machine, or its address is invalid.
    """
    if path is not None:
        devices.load(path)
    return [_machine(devices.find(name, path or devices.PATH)) for name in dict.fromkeys(names)]


def _machine(device: devices.Device) -> Machine:
    delegate = device.delegate and Delegate(device.delegate, tuple(device.delegate_options.items()), from_device=True)
    return Machine(reach(device), delegate or None)
