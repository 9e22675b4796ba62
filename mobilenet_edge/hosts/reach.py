"""Choose the host that reaches a device."""

from __future__ import annotations

import sys
from pathlib import Path

from mobilenet_edge.hosts import Host
from mobilenet_edge.hosts.devices import LOCAL, Device
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.hosts.ssh import Ssh


def reach(device: Device) -> Host:
    """Return the host of a device, which connects at the first request.

    Raises:
        UsageError: The address of the device is not valid.
    """
    if device.host == LOCAL:
        python = str(Path(device.python).expanduser()) if device.python else sys.executable
        return Local(device.name, python)
    return Ssh(device.name, device.host, device.python)
