"""`mnet setup-host`: install runtimes on a device in a virtual environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mobilenet_edge.errors import HostError
from mobilenet_edge.hosts import Host

# A slow board with a slow SD card needs minutes to unpack onnxruntime.
LIMIT_SECONDS = 1800.0


@dataclass(frozen=True)
class Installation:
    """Virtual environment on a device.

    Attributes:
        host: Name of the device.
        folder: Folder of the environment.
        executable: Python of the environment, which mnet uses unless the devices file sets another one.
        packages: Installed versions by package.
    """

    host: str
    folder: str
    executable: str
    packages: dict[str, str]


def run(host: Host, packages: Sequence[str] = ()) -> Installation:
    """Install runtimes on a device.

    Args:
        host: Device.
        packages: Requirements for pip; empty for the runtimes that fit the device.

    Raises:
        HostError: The device cannot be reached, has no venv module, or pip fails.
        UsageError: A requirement is invalid, or no runtime exists for the device.
    """
    document = host.run({"mode": "setup", "packages": list(packages)}, limit_seconds=LIMIT_SECONDS)
    try:
        return Installation(host.name, document["folder"], document["executable"], dict(document["installed"]))
    except KeyError as error:
        raise HostError(f"{host.name} did not report what it installed; run the command again") from error
