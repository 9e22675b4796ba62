"""`mnet setup-host`: the runtimes on a device, in an environment of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mobilenet_edge.errors import HostError
from mobilenet_edge.hosts import Host

# A slow board unpacks onnxruntime from a slow card.
LIMIT_SECONDS = 1800.0


@dataclass(frozen=True)
class Installed:
    """What a device has now.

    Attributes:
        host: Its name.
        folder: The environment there.
        executable: Its Python, which is used from now on where the devices file names none.
        packages: Versions by package.
    """

    host: str
    folder: str
    executable: str
    packages: dict[str, str]


def run(host: Host, packages: Sequence[str] = ()) -> Installed:
    """Install runtimes on a device.

    Args:
        host: The device.
        packages: What to install, as pip takes it; empty for what fits the device, which it knows best itself.

    Raises:
        HostError: The device cannot be reached, or has no venv, or pip refuses.
        UsageError: A package is none, or no runtime exists for the device.
    """
    told = host.run({"mode": "setup", "packages": list(packages)}, limit_seconds=LIMIT_SECONDS)
    try:
        return Installed(host.name, told["folder"], told["executable"], dict(told["installed"]))
    except KeyError as error:
        raise HostError(f"{host.name} did not say what it installed; run it again") from error
