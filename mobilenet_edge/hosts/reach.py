"""From a device's description to the host that reaches it."""

from __future__ import annotations

import sys
from pathlib import Path

from mobilenet_edge.hosts import Host
from mobilenet_edge.hosts.devices import LOCAL, Device
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.hosts.ssh import Ssh


def reach(device: Device) -> Host:
    """Return the host of a device; nothing is connected before the first request.

    Raises:
        UsageError: Its address cannot be one.
    """
    if device.host == LOCAL:
        python = str(Path(device.python).expanduser()) if device.python else sys.executable
        return Local(device.name, python)
    return Ssh(device.name, device.host, device.python)
