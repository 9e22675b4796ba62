"""Find machines by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mobilenet_edge.device.runtimes import AUTO
from mobilenet_edge.hosts import devices
from mobilenet_edge.hosts.devices import LOCAL, Device
from mobilenet_edge.hosts.place import Delegate, Place
from mobilenet_edge.hosts.reach import reach
from mobilenet_edge.profiling.machine import Machine


def find(names: Sequence[str], path: Path | None = None) -> list[Machine]:
    """Find machines without connecting to them; duplicates are ignored.

    Args:
        names: "local", a table of the devices file, or user@host.
        path: Devices file, or None for configs/devices.toml if it exists.

    Raises:
        InputError: The file cannot be read, or has an unknown key or an invalid value.
        UsageError: There is no such machine, or its address is invalid.
    """
    return [Machine(reach(device), Delegate.of(device)) for device in _devices(names, path)]


def place(name: str, path: Path | None = None, runtime: str = AUTO, delegate: Delegate | None = None) -> Place | None:
    """Find the place of models by the name of a machine; see `find`.

    Args:
        name: As for `find`.
        path: As for `find`.
        runtime: A runtime, or "auto".
        delegate: Delegate that the user asked for.

    Returns:
        None for this machine as it is, without a runtime or delegate.

    Raises:
        MnetError: As `find`.
    """
    (device,) = _devices([name], path)
    found = Place(device, runtime, delegate)
    return None if found == Place(Device(LOCAL, LOCAL)) else found


def _devices(names: Sequence[str], path: Path | None) -> list[Device]:
    if path is not None:
        devices.load(path)
    return [devices.find(name, path or devices.PATH) for name in dict.fromkeys(names)]
